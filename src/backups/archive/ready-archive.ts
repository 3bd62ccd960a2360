import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { TendError, toError } from '../../errors.ts';
import { formatBytes } from '../../format-bytes.ts';
import { damagedPart, readPart } from '../parts/read-part.ts';
import { isSameDevice, type ServerSpace } from '../restore/server-space.ts';
import { databasePart } from '../sets/manifest.ts';
import { type VerifyDatabaseOptions, verifyDatabase } from '../verify/verify-database.ts';
import { readyForeign } from './ready-foreign.ts';
import { unpackArchive } from './unpack-archive.ts';
import { makeWorkArea, sweepWorkAreas } from './work-area.ts';

export interface ReadyArchiveOptions extends VerifyDatabaseOptions {
  /** Where dumps are unpacked. */
  workDirectory: string;
  jobs: number;
  /** See `readPart`. */
  report?: (detail: string) => void;
  /** Of the server it is restored into. */
  serverMajor: number;
  /** Of that server, where it runs on this machine: what the database is going to need is not ours to use. */
  space: ServerSpace | undefined;
}

/** A dump that was read from beginning to end and found good. */
export interface ReadyArchive extends AsyncDisposable {
  /** The file it was unpacked into; undefined where it must be read from the set again. */
  path: string | undefined;
}

/** What must stay free beside the unpacked dump. */
const marginBytes = 64 * 1024 * 1024;

/**
 * Verifies the dump of a set. Where there is space for it, it is unpacked on the way, for several workers to load it at
 * once; otherwise it is read again while it is loaded, by one worker. An encrypted dump lies there in clear, readable by
 * this user alone, until this is disposed of.
 *
 * @throws TendError BACKUP_DAMAGED, TOOL_NOT_FOUND.
 */
export async function readyArchive(options: ReadyArchiveOptions): Promise<ReadyArchive> {
  const { set, jobs, log } = options;
  // What a killed restore has left there takes the space that is measured next, and lies there in clear.
  await sweepWorkAreas(options.workDirectory, log);
  if (set.foreign !== undefined) return await readyForeign({ ...options, archive: set.foreign });
  const lacking = jobs > 1 ? await lackOfSpace(options) : 'one worker was asked for';
  if (lacking === undefined) {
    try {
      return await unpacked(options);
    } catch (error) {
      options.signal.throwIfAborted();
      if (!(error instanceof TendError && error.code === 'OUTPUT_UNWRITABLE')) throw error;
      log.warn(`The dump is loaded by one worker: ${toError(error).message}`);
    }
  } else if (jobs > 1) log.warn(`The dump is loaded by one worker: ${lacking}.`);
  await verifyDatabase(options);
  return { path: undefined, async [Symbol.asyncDispose]() {} };
}

async function unpacked(options: ReadyArchiveOptions): Promise<ReadyArchive> {
  const { set } = options;
  await using stack = new AsyncDisposableStack();
  const area = stack.use(await makeWorkArea(options.workDirectory));
  const path = join(area.path, 'database.dump');
  const part = databasePart(set.manifest);
  const isWhole = await unpackArchive({
    read: async (target, signal) => await readPart({ ...options, part, target, signal }),
    path,
    damaged: (why) => damagedPart(set.id, `"${part.file}" is not whole: ${why}`),
    signal: options.signal,
  });
  // What a newer pg_dump wrote is not understood here: pg_restore looks at it.
  if (!isWhole) await verifyDatabase(options);
  const kept = stack.move();
  return { path, [Symbol.asyncDispose]: async () => await kept.disposeAsync() };
}

/** Why the dump cannot be unpacked in the work directory; undefined where it can. */
async function lackOfSpace(options: ReadyArchiveOptions): Promise<string | undefined> {
  const { set, workDirectory, space } = options;
  const { sizeBytes } = set.manifest.database;
  const unpackedBytes = databasePart(set.manifest).uncompressedBytes + marginBytes;
  try {
    const { bavail, bsize } = await statfs(workDirectory);
    const isShared = space !== undefined && (await isSameDevice(workDirectory, space.directory));
    const [freeBytes, neededBytes] = [bavail * bsize, unpackedBytes + (isShared ? sizeBytes : 0)];
    if (freeBytes >= neededBytes) return undefined;
    return `"${workDirectory}" has ${formatBytes(freeBytes)} free, and ${formatBytes(neededBytes)} are needed to unpack it`;
  } catch (error) {
    return toError(error).message;
  }
}
