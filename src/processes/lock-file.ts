import { closeSync, openSync } from 'node:fs';
import { toError } from '../errors.ts';

const sqliteBusy = 5;

/**
 * Takes an fcntl lock on a file, which the kernel drops when its holder ends, however it ends; undefined when another
 * process holds it. The file stays when the lock is given back, since a lock file that is removed can be held twice.
 *
 * Node cannot take such a lock itself; SQLite does, on a file it never writes to.
 *
 * @throws the error of the file system where the file cannot be made.
 */
export async function lockFile(path: string): Promise<Disposable | undefined> {
  closeSync(openSync(path, 'a', 0o600));
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('pragma journal_mode = memory; begin exclusive');
  } catch (error) {
    database.close();
    if (toError(error).message.includes('locked') || errcodeOf(error) === sqliteBusy) return undefined;
    throw error;
  }
  return { [Symbol.dispose]: () => database.close() };
}

function errcodeOf(error: unknown): unknown {
  return error instanceof Error && 'errcode' in error ? error.errcode : undefined;
}
