import type { InferOutput } from 'valibot';
import type { restoreReportSchema } from '../backups/sets/backup-report.ts';
import { countOf } from '../count-of.ts';
import type { Output } from './output.ts';

/** What a restore has done, for a person. */
export function renderRestored(report: InferOutput<typeof restoreReportSchema>, output: Output): void {
  const { backupId, database, rows, keptAs, heldTasks } = report;
  const kept = keptAs === null ? '' : `; the old one is kept as "${keptAs}"`;
  output.summary(`Backup ${backupId} is now database "${database}" (${countOf(rows, 'row')})${kept}.`);
  const later = describeLater(report);
  if (later !== undefined) output.summary(later);
  if (report.savedAs !== null) output.summary(`What was there before is backup ${report.savedAs}.`);
  if (!report.compared) output.warn('no manifest says what must be there: look whether everything is');
  if (heldTasks > 0) output.warn(`${heldTasks} unfinished tasks of the backup are held there`);
}

/** What the old database holds and the restored one does not; undefined where nothing was replaced. */
function describeLater(report: InferOutput<typeof restoreReportSchema>): string | undefined {
  const { keptAs, snapshotAt, cutOverAt, laterTransactions } = report;
  if (keptAs === null || snapshotAt === null || cutOverAt === null) return undefined;
  const how =
    laterTransactions === null
      ? 'how many is not known'
      : `at most ${countOf(laterTransactions, 'transaction')}`;
  return `What was committed after ${snapshotAt}, up to the cut-over at ${cutOverAt}, is in the old one alone: ${how}.`;
}
