import { sweepWorkAreas } from '../archive/work-area.ts';
import { openMaintenanceDatabase } from '../restore/maintenance-database.ts';
import { refusePooler } from '../restore/refuse-pooler.ts';
import { lockBackups } from '../sets/backup-lock.ts';
import { serverVersion } from '../sets/database-facts.ts';
import { serverOptions } from '../tools/tool-environment.ts';
import { tryToDropOldReplaced } from './drop-old-replaced.ts';
import { findUnfinishedRestores } from './find-unfinished-restores.ts';
import { resumeRestore } from './resume-restore.ts';
import type { SettledRestore, Settlement, SettleRestoreOptions } from './settlement.ts';
import { undoRestore } from './undo-restore.ts';

/**
 * Ends a restore that was killed, or takes back one that had come to its end. Safe against being killed itself: the
 * journal goes on, and the next one goes on from there.
 *
 * @throws TendError RESTORE_REFUSED where there is nothing to go on with or to undo; BACKUP_BUSY while its process is
 *   alive; RESTORE_ROLLED_BACK (exit 1) where the application is not well with it, and everything is as it was
 *   before; RESTORE_STUCK (exit 2).
 */
export async function settleRestore(options: SettleRestoreOptions): Promise<SettledRestore> {
  const { connection, app, journalDirectory: directory, way } = options;
  const { database } = connection;
  app.preflight?.();
  using _lock = await lockBackups(options.lockDirectory ?? directory);
  await refusePooler(options);
  await using maintenance = await openMaintenanceDatabase(options);
  const { major: serverMajor } = await serverVersion(maintenance);
  const settlement: Settlement = {
    ...options,
    maintenance,
    unfinished: await findUnfinishedRestores({ db: maintenance, live: options.db, database, directory }),
    serverOptions: await serverOptions(maintenance, connection),
    serverMajor,
  };
  await sweepWorkAreas(options.workDirectory, options.log);
  const settled = way === 'resume' ? await resumeRestore(settlement) : await undoRestore(settlement);
  await tryToDropOldReplaced({
    ...options,
    maintenance,
    database,
    directory,
    keepMs: options.keepReplacedMs,
  });
  return settled;
}
