import { countOf } from '../count-of.ts';
import { formatBytes } from '../format-bytes.ts';
import type { Output } from './output.ts';
import type { PrunePreview } from './preview-prune.ts';

/** One line a set, and a database that a restore has kept: what becomes of it, and why. */
export function printPrunePlan({ place, decisions, left, databases }: PrunePreview, output: Output): void {
  const rows = [
    ...decisions.map(({ id, bytes, action, reasons }) => [
      id,
      action,
      formatBytes(bytes),
      reasons.join(', '),
    ]),
    ...databases.map(({ name, sizeBytes, action, reason }) => [
      name,
      action,
      sizeBytes === null ? '?' : formatBytes(sizeBytes),
      reason,
    ]),
    ...left.map(({ name, why }) => [name, 'left', '', why]),
  ];
  if (rows.length > 0) output.table(['ID', 'DECISION', 'SIZE', 'WHY'], rows);
  const going = decisions.filter(({ action }) => action === 'remove');
  const bytes = going.reduce((sum, decision) => sum + decision.bytes, 0);
  output.summary(
    `${countOf(going.length, 'backup set')} of ${place} would be removed (${formatBytes(bytes)}).`,
  );
  const dropped = databases.filter(({ action }) => action === 'drop').length;
  if (dropped > 0)
    output.summary(`${countOf(dropped, 'database')} that restores have kept would be dropped.`);
}
