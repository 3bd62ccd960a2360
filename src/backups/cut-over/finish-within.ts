import { sql } from 'kysely';
import { openDatabase } from '../../database/open-database.ts';
import { untilAborted } from '../../until-aborted.ts';
import { appWithSteps } from './change-live.ts';
import { endFinished } from './end-restore.ts';
import type { SwapWork } from './swap-work.ts';

/**
 * Ends a restore in place that was killed after its transaction: gathers statistics, restarts the application and checks it.
 * What was restored stays, whether the application is well with it or not: there is nothing here to go back to.
 */
export async function finishWithin(work: SwapWork): Promise<void> {
  const { connection, applicationName, app, progress, signal, log } = work;
  const { restart, check } = appWithSteps(app, progress);
  log.info(
    'What was restored is not compared with its manifest any more: the application may have written since.',
  );
  await using live = openDatabase({ connection, applicationName, statementTimeoutMs: 0 });
  await progress.step(
    'Gather statistics',
    async () => await untilAborted(signal, sql`analyze`.execute(live)),
  );
  try {
    await restart?.(signal);
    await check?.(signal);
  } finally {
    if (!signal.aborted) await endFinished(work);
  }
}
