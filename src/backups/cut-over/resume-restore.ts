import { appWithSteps, changeLive } from './change-live.ts';
import { chooseResume } from './choose-resume.ts';
import { endFinished } from './end-restore.ts';
import { finishWithin } from './finish-within.ts';
import { goBack } from './go-back.ts';
import {
  type SettledRestore,
  type Settlement,
  settledAs,
  swapWorkOf,
  sweepUnfinished,
} from './settlement.ts';
import { swapFiles } from './swap-files.ts';
import type { SwapWork } from './swap-work.ts';

/** Goes on with a restore in the direction it was going when it was killed. */
export async function resumeRestore(settlement: Settlement): Promise<SettledRestore> {
  const first = chooseResume(settlement);
  if (!first.hasCutOver) return await sweepUnfinished(settlement, first);
  const { facts, record } = first;
  const work = swapWorkOf(settlement, first);
  const taskIds = record?.taskIds ?? [];
  if (first.isGoingBack)
    return { ...settledAs('undone', facts), ...(await goBack(work)), keptAs: null, taskIds };
  if (facts.within !== undefined) await finishWithin(work);
  else await (facts.keptAs === null ? goOnWithLost(work) : goOn(work));
  return { ...settledAs('finished', facts), taskIds };
}

async function goOn(work: SwapWork): Promise<void> {
  const { journal, log } = work;
  await changeLive(work, async () => {
    await swapFiles(journal.record.facts.files, log);
    await journal.note('cut-over');
  });
}

/** There is no database to go back to: the restored one stays, whether the application is well with it or not. */
async function goOnWithLost(work: SwapWork): Promise<void> {
  const { journal, log, app, signal, progress } = work;
  const { restart, check } = appWithSteps(app, progress);
  await swapFiles(journal.record.facts.files, log);
  try {
    await restart?.(signal);
    await check?.(signal);
  } finally {
    await endFinished(work);
  }
}
