import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { DirectFile } from '../../processes/direct-file.ts';
import { unwritable } from '../parts/unwritable.ts';
import { ArchivePlaces } from './archive-places.ts';

export interface UnpackArchiveOptions {
  /** Writes the archive into `target`; a failure of it is a failure of the unpacking. */
  read: (target: DirectFile, signal: AbortSignal) => Promise<unknown>;
  /** The file to be made (0600). */
  path: string;
  /** The error for an archive that is not whole. */
  damaged: (why: string) => Error;
  signal: AbortSignal;
}

/**
 * Unpacks an archive into a file that several workers of `pg_restore` can read at once, and sees behind the writing that it
 * has all the data it announces. The places of the data are written into it (see `ArchivePlaces`).
 *
 * @returns false where the archive is of a format that is not known here: then it is not known to be whole.
 * @throws TendError OUTPUT_UNWRITABLE (a full disk), and what `read` and `damaged` give.
 */
export async function unpackArchive(options: UnpackArchiveOptions): Promise<boolean> {
  const { read, path, damaged, signal } = options;
  const places = new ArchivePlaces();
  {
    await using file = await DirectFile.create(path).catch((error: unknown) => {
      throw unwritable(path, error);
    });
    const reading = new AbortController();
    const [written, followed] = await Promise.allSettled([
      read(file, signal).finally(() => reading.abort()),
      follow(file, { places, writing: reading.signal }),
    ]);
    signal.throwIfAborted();
    // Whatever else was heard of it: a full disk is no damage of the set.
    if (file.writeError !== undefined) throw unwritable(path, file.writeError);
    if (written.status === 'rejected') throw written.reason;
    if (followed.status === 'rejected') throw followed.reason;
  }
  const problem = places.problem();
  if (problem !== undefined) throw damaged(problem);
  await writePlaces(path, places);
  return places.toc !== undefined;
}

const chunkBytes = 1024 * 1024;

/** How long nothing need have been written before it is looked again. */
const lookAgainMs = 20;

/** Shows `places` all that is written into the file, until `writing` is over and its end is reached. */
async function follow(
  file: DirectFile,
  { places, writing }: { places: ArchivePlaces; writing: AbortSignal },
): Promise<void> {
  let chunk = Buffer.allocUnsafe(chunkBytes);
  let at = 0;
  while (true) {
    const isWritten = writing.aborted;
    const { bytesRead } = await file.handle.read(chunk, 0, chunkBytes, at);
    at += bytesRead;
    if (bytesRead > 0) {
      places.note(chunk.subarray(0, bytesRead));
      // The table of contents at the beginning is kept until all of it is there.
      if (places.toc === undefined) chunk = Buffer.allocUnsafe(chunkBytes);
    } else if (isWritten) return;
    else await delay(lookAgainMs, undefined, { signal: writing }).catch(() => undefined);
  }
}

async function writePlaces(path: string, places: ArchivePlaces): Promise<void> {
  await using file = await open(path, 'r+');
  for (const { at, bytes } of places.patches()) await file.write(bytes, 0, bytes.length, at);
}
