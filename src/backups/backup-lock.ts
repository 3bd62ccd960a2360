import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TendError, toError } from '../errors.ts';
import { unwritable } from './unwritable.ts';

/** The file's name; it stays when the lock is given back, since a lock file that is removed can be held twice. */
const lockFileName = '.tend.lock';

const sqliteBusy = 5;

/**
 * Takes the lock of a backup directory, and creates the directory (0700) where it is missing. One process at a time
 * writes sets into it, or restores from it.
 *
 * The lock is an fcntl lock, which the kernel drops when its holder ends, however it ends. Node cannot take one
 * itself; SQLite does, on a file it never writes to.
 *
 * @throws TendError BACKUP_BUSY when another process holds it, OUTPUT_UNWRITABLE.
 */
export async function lockBackups(directory: string): Promise<Disposable> {
  return await lockFile(directory, lockFileName, () => busy(directory));
}

/**
 * The same for the copies in one remote: one process at a time adds to them from this directory. Backups go on
 * meanwhile.
 */
export async function lockRemote(directory: string, remote: string): Promise<Disposable> {
  return await lockFile(directory, `.tend-remote-${remote}.lock`, () => busyRemote(remote));
}

async function lockFile(directory: string, name: string, isHeld: () => TendError): Promise<Disposable> {
  const path = join(directory, name);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'a', 0o600));
  } catch (error) {
    throw unwritable(directory, error);
  }
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('pragma journal_mode = memory; begin exclusive');
  } catch (error) {
    database.close();
    if (toError(error).message.includes('locked') || errcodeOf(error) === sqliteBusy) throw isHeld();
    throw unwritable(path, error);
  }
  return { [Symbol.dispose]: () => database.close() };
}

function errcodeOf(error: unknown): unknown {
  return error instanceof Error && 'errcode' in error ? error.errcode : undefined;
}

function busy(directory: string): TendError {
  return new TendError('BACKUP_BUSY', `Another backup or restore is working in "${directory}".`, {
    hint: 'Wait until it has ended; see what runs: tend tasks --state running',
  });
}

function busyRemote(remote: string): TendError {
  return new TendError('BACKUP_BUSY', `Another process is copying to remote "${remote}".`, {
    hint: 'Wait until it has ended; see what runs: tend tasks --state running',
  });
}
