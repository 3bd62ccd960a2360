import { formatBytes } from '../format-bytes.ts';
import type { Output } from './output.ts';
import type { PrunePreview } from './preview-prune.ts';

/** One line a set: what becomes of it, and why. */
export function printPrunePlan({ place, decisions, left }: PrunePreview, output: Output): void {
  const rows = [
    ...decisions.map(({ id, bytes, action, reasons }) => [
      id,
      action,
      formatBytes(bytes),
      reasons.join(', '),
    ]),
    ...left.map(({ name, why }) => [name, 'left', '', why]),
  ];
  if (rows.length > 0) output.table(['ID', 'DECISION', 'SIZE', 'WHY'], rows);
  const going = decisions.filter(({ action }) => action === 'remove');
  const bytes = going.reduce((sum, decision) => sum + decision.bytes, 0);
  output.summary(`${going.length} backup sets of ${place} would be removed (${formatBytes(bytes)}).`);
}
