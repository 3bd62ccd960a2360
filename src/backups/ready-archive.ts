import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { toError } from '../errors.ts';
import { formatBytes } from '../format-bytes.ts';
import type { BackupSet } from './backup-directory.ts';
import { databasePart } from './manifest.ts';
import { unpackArchive } from './unpack-archive.ts';
import { isFileSystemError } from './unwritable.ts';
import { type VerifyBackupOptions, verifyBackup } from './verify-backup.ts';
import { makeWorkArea } from './work-area.ts';

export interface ReadyArchiveOptions extends VerifyBackupOptions {
  /** Where dumps are unpacked. */
  workDirectory: string;
  jobs: number;
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
  const { set, jobs, workDirectory, log } = options;
  const lacking = jobs > 1 ? await lackOfSpace(set, workDirectory) : 'one worker was asked for';
  if (lacking === undefined) {
    try {
      return await unpacked(options);
    } catch (error) {
      options.signal.throwIfAborted();
      if (!isFileSystemError(error)) throw error;
      log.warn(`The dump is loaded by one worker: ${toError(error).message}`);
    }
  } else if (jobs > 1) log.warn(`The dump is loaded by one worker: ${lacking}.`);
  await verifyBackup(options);
  return { path: undefined, async [Symbol.asyncDispose]() {} };
}

async function unpacked(options: ReadyArchiveOptions): Promise<ReadyArchive> {
  await using stack = new AsyncDisposableStack();
  const area = stack.use(await makeWorkArea({ parent: options.workDirectory, log: options.log }));
  const path = join(area.path, 'database.dump');
  // What a newer pg_dump wrote is not understood here: pg_restore looks at it.
  if (!(await unpackArchive({ ...options, path }))) await verifyBackup(options);
  const kept = stack.move();
  return { path, [Symbol.asyncDispose]: async () => await kept.disposeAsync() };
}

/** Why the dump cannot be unpacked in `directory`; undefined where it can. */
export async function lackOfSpace(set: BackupSet, directory: string): Promise<string | undefined> {
  const neededBytes = databasePart(set.manifest).uncompressedBytes + marginBytes;
  try {
    const { bavail, bsize } = await statfs(directory);
    const freeBytes = bavail * bsize;
    if (freeBytes >= neededBytes) return undefined;
    return `"${directory}" has ${formatBytes(freeBytes)} free, and ${formatBytes(neededBytes)} are needed to unpack it`;
  } catch (error) {
    return toError(error).message;
  }
}
