import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { toError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { isBackupId } from './backup-id.ts';
import { removingSuffix } from './remove-set.ts';

/** What a set is called until it is complete. */
export const partialSuffix = '.partial';

/**
 * Removes what backups and removals that were killed have left. The caller holds the lock of the directory, so whatever
 * is still partial has lost its writer. Files that are not named like ours stay.
 */
export async function sweepPartials(directory: string, log: Log): Promise<string[]> {
  const names = await readdir(directory);
  const partials = names.filter((name) => isNamed(name, partialSuffix));
  for (const name of partials) {
    log.warn(`Removing "${name}": the backup that wrote it did not come to its end.`);
    await rm(join(directory, name), { recursive: true, force: true });
  }
  const halfRemoved = names.filter((name) => isNamed(name, removingSuffix));
  for (const name of halfRemoved) {
    log.warn(`Removing "${name}": its removal did not come to its end.`);
    // What could not be removed the last time must not stand in the way of a backup.
    await rm(join(directory, name), { recursive: true, force: true }).catch((error: unknown) => {
      log.warn(`"${name}" cannot be removed: ${toError(error).message}`);
    });
  }
  return [...partials, ...halfRemoved];
}

function isNamed(name: string, suffix: string): boolean {
  return name.endsWith(suffix) && isBackupId(name.slice(0, -suffix.length));
}
