import type { AppControls } from '../../app/app-controls.ts';
import { changeAppSafely } from '../../app/change-app-safely.ts';
import { TendError } from '../../errors.ts';
import type { Progress } from '../../log.ts';
import { describeWayOut } from './describe-way-out.ts';
import { endFinished, endUndone } from './end-restore.ts';
import { putBack } from './put-back.ts';
import type { SwapWork } from './swap-work.ts';

/**
 * The way forward of a restore: `apply` puts the restored database in place, or makes sure that it is; then the
 * application is restarted and checked, and everything put back when it is not healthy. The journal tells the end.
 *
 * @throws TendError RESTORE_ROLLED_BACK, RESTORE_STUCK, and what `apply` threw.
 */
export async function changeLive<T>(work: SwapWork, apply: () => Promise<T>): Promise<T> {
  const { progress, journal, log, signal } = work;
  const { database } = journal.record.facts;
  try {
    const applied = await changeAppSafely({
      subject: `the restored database "${database}"`,
      apply,
      undo: async () =>
        void (await progress.step('Put the old database back', async () => await putBack(work))),
      ...appWithSteps(work.app, progress),
      ...restoreCodes,
      stuckHint: async () => await describeWayOut(work),
      log,
      signal,
    });
    await endFinished(work);
    return applied;
  } catch (error) {
    if (error instanceof TendError && error.code === 'RESTORE_ROLLED_BACK') await endUndone(work);
    throw error;
  }
}

export const restoreCodes = { rolledBackCode: 'RESTORE_ROLLED_BACK', stuckCode: 'RESTORE_STUCK' } as const;

/** Restarting and checking as steps that a person sees. */
export function appWithSteps({ preflight, restart, check }: AppControls, progress: Progress): AppControls {
  return {
    ...(preflight && { preflight }),
    ...(restart && {
      restart: async (signal) =>
        await progress.step('Restart the application', async () => await restart(signal)),
    }),
    ...(check && {
      check: async (signal) => await progress.step('Check the application', async () => await check(signal)),
    }),
  };
}
