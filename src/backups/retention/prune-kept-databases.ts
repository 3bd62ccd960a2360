import { toError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { tryToDropOldReplaced } from '../cut-over/drop-old-replaced.ts';
import {
  type KeptDecision,
  type OldReplacedOptions,
  planOldReplaced,
} from '../cut-over/plan-old-replaced.ts';
import { findRestoreDirectory } from '../restore/find-restore-directory.ts';
import { openMaintenanceDatabase } from '../restore/maintenance-database.ts';
import { backupDirectory } from '../sets/backup-directory.ts';
import { lockBackups } from '../sets/backup-lock.ts';
import type { RetentionOptions } from './plan-for-place.ts';

/** What `pruneKeptDatabases` would do; changes nothing. */
export async function previewKeptDatabases(options: RetentionOptions): Promise<KeptDecision[]> {
  const { decisions } = await planOldReplaced({ ...replacedOptions(options), maintenance: options.db });
  return decisions;
}

/**
 * Drops the databases that restores have kept for longer than `[backup] keep_replaced`, with the files that went with
 * them, as the next restore would. No restore is at work meanwhile. What cannot be dropped stays, with a warning.
 *
 * @returns the names of those that were dropped.
 * @throws TendError BACKUP_BUSY.
 */
export async function pruneKeptDatabases(options: RetentionOptions & { log: Log }): Promise<string[]> {
  const { config, baseDirectory, connection, host, log } = options;
  // Where nothing is kept, no other database is asked for.
  if ((await previewKeptDatabases(options)).every(({ action }) => action === 'keep')) return [];
  using _lock = await lockBackups(backupDirectory(config, baseDirectory));
  try {
    const applicationName = `tend prune ${host}:${process.pid}`;
    await using maintenance = await openMaintenanceDatabase({ connection, applicationName });
    return await tryToDropOldReplaced({ ...replacedOptions(options), maintenance, log });
  } catch (error) {
    log.warn(`What restores have kept was not dropped: ${toError(error).message}`);
    return [];
  }
}

function replacedOptions(options: RetentionOptions): Omit<OldReplacedOptions, 'maintenance'> {
  const { config, connection, clock } = options;
  const { keep_replaced: keepMs } = config.backup;
  return { database: connection.database, directory: findRestoreDirectory(options), keepMs, clock };
}
