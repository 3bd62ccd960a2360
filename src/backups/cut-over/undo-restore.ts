import { changeAppSafely } from '../../app/change-app-safely.ts';
import { appWithSteps, restoreCodes } from './change-live.ts';
import { cutOver, stateOfCutOver } from './cut-over.ts';
import { describeWayOut } from './describe-way-out.ts';
import { endUndone } from './end-restore.ts';
import { findUndoable } from './find-undoable.ts';
import { goBack } from './go-back.ts';
import { putBack } from './put-back.ts';
import { refuseUndo, refuseUndoWithin } from './refuse-undo.ts';
import {
  type SettledRestore,
  type Settlement,
  settledAs,
  swapWorkOf,
  sweepUnfinished,
} from './settlement.ts';
import { fileSwap } from './swap-files.ts';
import { type SwapWork, swapTools, unstoppable } from './swap-work.ts';

/**
 * Goes back to the database from before a restore: of one that did not come to its end, from wherever it was; else of
 * the newest that has, with its files, as long as they are kept.
 */
export async function undoRestore(settlement: Settlement): Promise<SettledRestore> {
  const [first] = settlement.unfinished;
  const { restoreId } = settlement;
  if (first !== undefined) {
    if (restoreId !== undefined && restoreId !== first.facts.id)
      throw refuseUndo(settlement, `restore ${first.facts.id} did not come to its end, and comes first`);
    if (!first.hasCutOver) return await sweepUnfinished(settlement, first);
    if (first.facts.within !== undefined) throw refuseUndoWithin(settlement, first.facts, 'unfinished');
    if (first.facts.keptAs === null)
      throw refuseUndo(settlement, 'the database had been lost: there is none to go back to', 'resume');
    const ending = await goBack(swapWorkOf(settlement, first));
    return {
      ...settledAs('undone', first.facts),
      ...ending,
      keptAs: null,
      taskIds: first.record?.taskIds ?? [],
    };
  }
  const found = await findUndoable(settlement);
  const work = swapWorkOf(settlement, found);
  const outageMs = await takeBack(work);
  const restoredAs = await endUndone(work);
  return { ...settledAs('undone', found.facts), outageMs, restoredAs, keptAs: null, taskIds: [] };
}

/** Undoing what had come to its end is a change like any other: where the application is not well, it is taken back. */
async function takeBack(work: SwapWork): Promise<number | null> {
  const { journal, progress, log, signal, app } = work;
  const { id } = journal.record.facts;
  return await changeAppSafely({
    subject: `the database from before restore ${id}`,
    apply: async () => await progress.step('Put the old database back', async () => await putBack(work)),
    undo: async () =>
      await progress.step('Put the restored database back', async () => await putForward(work)),
    ...appWithSteps(app, progress),
    ...restoreCodes,
    stuckHint: async () => await describeWayOut(work),
    log,
    signal,
  });
}

/** The cut-over once more. */
async function putForward(work: SwapWork): Promise<void> {
  const { journal, maintenance, log } = work;
  const { id, database: name, keptAs, undoneAs, files } = journal.record.facts;
  if (keptAs !== null && (await stateOfCutOver(maintenance, { name, keepAs: undoneAs })) === 'after') {
    await cutOver({
      ...work,
      ...(await swapTools({ ...work, signal: unstoppable() })),
      replacement: undoneAs,
      keepAs: keptAs,
      properties: 'keep',
      mark: { kind: 'kept', database: name, id, hasEnded: true },
      meanwhile: fileSwap(files, log),
      signal: unstoppable(),
    });
  }
  await journal.note('finished');
}
