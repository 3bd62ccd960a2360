import { join } from 'node:path';
import { TendError } from '../../errors.ts';
import { makeDirectory } from '../../make-directory.ts';
import { lockFile } from '../../processes/lock-file.ts';
import { unwritable } from '../parts/unwritable.ts';

/** The file's name; it stays when the lock is given back, since a lock file that is removed can be held twice. */
const lockFileName = '.tend.lock';

/**
 * Takes the lock of a backup directory, and creates the directory (0700) where it is missing. One process at a time
 * writes sets into it, or restores from it.
 *
 * @throws TendError BACKUP_BUSY when another process holds it, OUTPUT_UNWRITABLE.
 */
export async function lockBackups(directory: string): Promise<Disposable> {
  return await lockDirectory(directory, lockFileName, () => busy(directory));
}

/**
 * The same for the copies in one remote: one process at a time adds to them from this directory. Backups go on
 * meanwhile.
 */
export async function lockRemote(directory: string, remote: string): Promise<Disposable> {
  return await lockDirectory(directory, `.tend-remote-${remote}.lock`, () => busyRemote(remote));
}

async function lockDirectory(directory: string, name: string, isHeld: () => TendError): Promise<Disposable> {
  const path = join(directory, name);
  let lock: Disposable | undefined;
  try {
    await makeDirectory(directory);
    lock = await lockFile(path);
  } catch (error) {
    throw unwritable(directory, error);
  }
  if (lock === undefined) throw isHeld();
  return lock;
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
