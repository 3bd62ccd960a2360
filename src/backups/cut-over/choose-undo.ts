import { findUndoable, type Undoable } from './find-undoable.ts';
import type { UnfinishedRestore } from './find-unfinished-restores.ts';
import { refuseUndo, refuseUndoWithin } from './refuse-undo.ts';
import type { SettlementFacts } from './settlement.ts';

/** What `--undo` is about: one that did not come to its end, else one that has. */
export type Undo =
  | { unfinished: UnfinishedRestore; ended?: undefined }
  | { unfinished?: undefined; ended: Undoable };

/**
 * Chooses the restore that is undone, once its way back is open. Changes nothing.
 *
 * @throws TendError RESTORE_REFUSED.
 */
export async function chooseUndo(settlement: SettlementFacts): Promise<Undo> {
  const [first] = settlement.unfinished;
  if (first === undefined) return { ended: await findUndoable(settlement) };
  const { restoreId } = settlement;
  if (restoreId !== undefined && restoreId !== first.facts.id)
    throw refuseUndo(settlement, `restore ${first.facts.id} did not come to its end, and comes first`);
  if (!first.hasCutOver) return { unfinished: first };
  if (first.facts.within !== undefined) throw refuseUndoWithin(settlement, first.facts, 'unfinished');
  if (first.facts.keptAs === null)
    throw refuseUndo(settlement, 'the database had been lost: there is none to go back to', 'resume');
  return { unfinished: first };
}
