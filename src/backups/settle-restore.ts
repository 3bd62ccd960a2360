import { lockBackups } from './backup-lock.ts';
import { serverVersion } from './database-facts.ts';
import { tryToDropOldReplaced } from './drop-old-replaced.ts';
import { findUnfinishedRestores } from './find-unfinished-restores.ts';
import { openMaintenanceDatabase } from './maintenance-database.ts';
import { refusePooler } from './refuse-pooler.ts';
import { resumeRestore } from './resume-restore.ts';
import type { SettledRestore, Settlement, SettleRestoreOptions } from './settlement.ts';
import { serverOptions } from './tool-environment.ts';
import { undoRestore } from './undo-restore.ts';
import { sweepWorkAreas } from './work-area.ts';

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
    unfinished: await findUnfinishedRestores({ db: maintenance, database, directory }),
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
