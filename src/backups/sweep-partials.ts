import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../log.ts';
import { isBackupId } from './backup-id.ts';

/** What a set is called until it is complete. */
export const partialSuffix = '.partial';

/**
 * Removes what backups that were killed have left. The caller holds the lock of the directory, so whatever is still
 * partial has lost its writer. Files that are not named like ours stay.
 */
export async function sweepPartials(directory: string, log: Log): Promise<string[]> {
  const remains = (await readdir(directory)).filter(
    (name) => name.endsWith(partialSuffix) && isBackupId(name.slice(0, -partialSuffix.length)),
  );
  for (const name of remains) {
    log.warn(`Removing "${name}": the backup that wrote it did not come to its end.`);
    await rm(join(directory, name), { recursive: true, force: true });
  }
  return remains;
}
