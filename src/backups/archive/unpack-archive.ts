import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Transform, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { runTogether } from '../parts/run-together.ts';
import { unwritable } from '../parts/unwritable.ts';
import { ArchivePlaces } from './archive-places.ts';

export interface UnpackArchiveOptions {
  /** Writes the archive into `target`, and ends it; a failure of it is a failure of the unpacking. */
  read: (target: Writable, signal: AbortSignal) => Promise<unknown>;
  /** The file to be made (0600). */
  path: string;
  /** The error for an archive that is not whole. */
  damaged: (why: string) => Error;
  signal: AbortSignal;
}

/**
 * Unpacks an archive into a file that several workers of `pg_restore` can read at once, and sees on the way that it has
 * all the data it announces. The places of the data are written into it (see `ArchivePlaces`).
 *
 * @returns false where the archive is of a format that is not known here: then it is not known to be whole.
 * @throws TendError OUTPUT_UNWRITABLE (a full disk), and what `read` and `damaged` give.
 */
export async function unpackArchive(options: UnpackArchiveOptions): Promise<boolean> {
  const { read, path, damaged, signal } = options;
  const places = new ArchivePlaces();
  const watched = watch(places);
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600, highWaterMark: 4 * 1024 * 1024 });
  try {
    await runTogether({
      signal,
      joints: [watched],
      members: [
        async (stop) => await read(watched, stop),
        async (stop) => await pipeline(watched, file, { signal: stop }),
      ],
    });
  } catch (error) {
    signal.throwIfAborted();
    // Whichever of the two was heard of first: a full disk is no damage of the set.
    if (isWriteError(file.errored)) throw unwritable(path, file.errored);
    throw error;
  }
  const problem = places.problem();
  if (problem !== undefined) throw damaged(problem);
  await writePlaces(path, places);
  return places.toc !== undefined;
}

/** Chunks of a megabyte, as they come from a file, are passed on as they are. */
function watch(places: ArchivePlaces): Transform {
  return new Transform({
    highWaterMark: 4 * 1024 * 1024,
    transform(chunk: Buffer, _encoding, callback) {
      places.note(chunk);
      callback(null, chunk);
    },
  });
}

async function writePlaces(path: string, places: ArchivePlaces): Promise<void> {
  await using file = await open(path, 'r+');
  for (const { at, bytes } of places.patches()) await file.write(bytes, 0, bytes.length, at);
}

function isWriteError(error: Error | null): boolean {
  return error !== null && 'syscall' in error;
}
