import { statSync } from 'node:fs';
import { findAccount } from './find-account.ts';

/** Name of the user who owns a file, by the password file; undefined where that does not name it. */
export function findOwner(path: string, passwordFile = '/etc/passwd'): string | undefined {
  const status = statSync(path, { throwIfNoEntry: false });
  return status === undefined ? undefined : findAccount(status.uid, passwordFile)?.name;
}
