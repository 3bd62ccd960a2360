import { chooseResume } from '../backups/cut-over/choose-resume.ts';
import { chooseUndo } from '../backups/cut-over/choose-undo.ts';
import { findUnfinishedRestores } from '../backups/cut-over/find-unfinished-restores.ts';
import { findRestoreDirectory } from '../backups/restore/find-restore-directory.ts';
import { openMaintenanceDatabase } from '../backups/restore/maintenance-database.ts';
import type { CommandContext } from './command-context.ts';

/**
 * Refuses to resume or undo where there is nothing to, before there is a task: one that fails is on record for good, and
 * is told by mail. Changes nothing; `settleRestore` looks again.
 *
 * @throws TendError RESTORE_REFUSED.
 */
export async function preflightSettlement(
  context: CommandContext,
  { way, restoreId }: { way: 'resume' | 'undo'; restoreId: string | undefined },
): Promise<void> {
  const connection = await context.connection();
  await using maintenance = await openMaintenanceDatabase({ connection, applicationName: 'tend restore' });
  const journalDirectory = findRestoreDirectory(context);
  const unfinished = await findUnfinishedRestores({
    ...{ db: maintenance, live: await context.openDatabase() },
    ...{ database: connection.database, directory: journalDirectory },
  });
  const facts = { restoreId, maintenance, unfinished, connection, journalDirectory };
  if (way === 'resume') chooseResume(facts);
  else await chooseUndo(facts);
}
