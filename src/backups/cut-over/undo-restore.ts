import { changeAppSafely } from '../../app/change-app-safely.ts';
import { appWithSteps, restoreCodes } from './change-live.ts';
import { chooseUndo } from './choose-undo.ts';
import { cutOver, stateOfCutOver } from './cut-over.ts';
import { describeWayOut } from './describe-way-out.ts';
import { endUndone } from './end-restore.ts';
import { goBack } from './go-back.ts';
import { putBack } from './put-back.ts';
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
  const { unfinished, ended } = await chooseUndo(settlement);
  if (unfinished === undefined) {
    const work = swapWorkOf(settlement, ended);
    const outageMs = await takeBack(work);
    const restoredAs = await endUndone(work);
    // Not only those that were killed: an undo before this one may have failed.
    const taskIds = ended.record?.taskIds ?? [];
    return { ...settledAs('undone', ended.facts), outageMs, restoredAs, keptAs: null, taskIds };
  }
  if (!unfinished.hasCutOver) return await sweepUnfinished(settlement, unfinished);
  const ending = await goBack(swapWorkOf(settlement, unfinished));
  const taskIds = unfinished.record?.taskIds ?? [];
  return { ...settledAs('undone', unfinished.facts), ...ending, keptAs: null, taskIds };
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
