import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ArchivePlaces } from './archive-places.ts';
import type { BackupSet } from './backup-directory.ts';
import type { CompressionContext } from './compression.ts';
import type { Identity } from './find-identity.ts';
import { databasePart } from './manifest.ts';
import { damagedPart, readPart } from './read-part.ts';
import { runTogether } from './run-together.ts';
import { unwritable } from './unwritable.ts';

export interface UnpackArchiveOptions extends CompressionContext {
  set: BackupSet;
  /** Opens an encrypted set. */
  identity?: Identity | undefined;
  /** The file to be made (0600). */
  path: string;
}

/**
 * Unpacks the dump of a set into a file that several workers of `pg_restore` can read at once, and verifies it on the
 * way: SHA-256, the checksums of the compression, and that the archive has all the data it announces. The places of the
 * data are written into it (see `ArchivePlaces`).
 *
 * @returns false where the archive is of a format that is not known here: then it is not known to be whole.
 * @throws TendError BACKUP_DAMAGED, OUTPUT_UNWRITABLE (a full disk).
 */
export async function unpackArchive(options: UnpackArchiveOptions): Promise<boolean> {
  const { set, path, signal } = options;
  const part = databasePart(set.manifest);
  const places = new ArchivePlaces();
  const watched = watch(places);
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600, highWaterMark: 4 * 1024 * 1024 });
  try {
    await runTogether({
      signal,
      joints: [watched],
      members: [
        async (stop) => await readPart({ ...options, part, target: watched, signal: stop }),
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
  if (problem !== undefined) throw damagedPart(set.id, `"${part.file}" is not whole: ${problem}`);
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
