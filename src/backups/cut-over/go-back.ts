import { TendError, toError } from '../../errors.ts';
import { appWithSteps } from './change-live.ts';
import { describeWayOut } from './describe-way-out.ts';
import { endUndone } from './end-restore.ts';
import { putBack } from './put-back.ts';
import { type SwapWork, unstoppable } from './swap-work.ts';

/**
 * The way back of a restore that did not come to its end: whatever it had replaced is put back, and the application
 * restarted and checked. There is no other way from here, so what fails is for a person.
 *
 * @throws TendError RESTORE_STUCK.
 */
export async function goBack(
  work: SwapWork,
): Promise<{ outageMs: number | null; restoredAs: string | null }> {
  const { journal, progress, signal } = work;
  signal.throwIfAborted();
  const { restart, check } = appWithSteps(work.app, progress);
  try {
    // Says who is at it, and which task is to be resolved where this one fails and the next does not. A journal that is begun
    // only now must not say that nothing was replaced.
    if (journal.record.phase !== 'begun') await journal.note(journal.record.phase);
    const outageMs = await progress.step('Put the old database back', async () => await putBack(work));
    if (journal.record.phase !== 'put-back') await journal.note('put-back');
    await restart?.(unstoppable());
    await check?.(unstoppable());
    return { outageMs, restoredAs: await endUndone(work) };
  } catch (error) {
    const { id } = journal.record.facts;
    throw new TendError('RESTORE_STUCK', `Could not take back restore ${id}: ${toError(error).message}`, {
      cause: error,
      isPermanent: true,
      hint: await describeWayOut(work),
    });
  }
}
