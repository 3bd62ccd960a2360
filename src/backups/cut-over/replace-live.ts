import { openDatabase } from '../../database/open-database.ts';
import { finishLost, holdIn } from '../restore/finish-into.ts';
import { laterTransactions } from '../restore/later-transactions.ts';
import type { RestoreWork } from '../restore/restore-backup.ts';
import type { RestoreEnding } from '../restore/restore-options.ts';
import { rowsWritten } from '../restore/rows-written.ts';
import { systemIdentifier } from '../sets/database-facts.ts';
import { appWithSteps, changeLive } from './change-live.ts';
import { type CutOverOptions, cutOver } from './cut-over.ts';
import { endFinished } from './end-restore.ts';
import { queueVersion } from './queue-schema.ts';
import type { RestoreJournal } from './restore-journal.ts';
import type { SwappedDatabases } from './swap-databases.ts';
import { fileSwap, swapFiles } from './swap-files.ts';
import { type SwapWork, swapTools } from './swap-work.ts';

/** A restore that takes the live name. */
export type ReplaceWork = RestoreWork & { journal: RestoreJournal };

/**
 * Puts the restored database in the place of the live one, restarts the application and checks it; when it is not
 * healthy with the restored data, the same way back. A live database that was lost needs no way back: the restored one
 * takes the name, and stays even when the application is not well.
 */
export async function replaceLive(work: ReplaceWork): Promise<RestoreEnding> {
  const { plan, log, progress, journal } = work;
  const { keptAs, target, scratch } = plan;
  const swap: SwapWork = { ...work, serverMajor: plan.serverMajor };
  if (keptAs === undefined) return await replaceLost(work, swap);
  const heldTasks = await holdWhereNoQueueIsCarried(work);
  const server = await systemIdentifier(work.db);
  const forward = await cutOverOptions(swap, keptAs);
  await journal.write('cutting-over', { rowsBefore: await rowsWritten({ ...work, database: scratch }) });

  const { outageMs, moment } = await changeLive(swap, async (): Promise<SwappedDatabases> => {
    const swapped = await progress.step(`Cut over to "${scratch}"`, async () => await cutOver(forward));
    await journal.note('cut-over');
    return swapped;
  });
  log.info(`Database "${target}" was away for ${outageMs} ms; the old one is kept as "${keptAs}".`);
  const live = { name: target, systemIdentifier: server };
  const { manifest } = work.set;
  return {
    ...{ keptAs, outageMs, heldTasks, cutOverAt: moment.at.toISOString() },
    laterTransactions: laterTransactions({ manifest, live, moment }),
  };
}

async function replaceLost(work: ReplaceWork, swap: SwapWork): Promise<RestoreEnding> {
  const { app, signal, journal, log, plan, progress } = work;
  const { restart, check } = appWithSteps(app, progress);
  await journal.write('cutting-over');
  const ending = await finishLost(work);
  await swapFiles(plan.files, log);
  await journal.note('cut-over');
  try {
    await restart?.(signal);
    await check?.(signal);
  } finally {
    await endFinished(swap);
  }
  return ending;
}

/** Where the live database has no queue, the one of the backup goes on, and a person decides about its tasks. */
async function holdWhereNoQueueIsCarried(work: RestoreWork): Promise<number> {
  const { db, plan, set, connection, applicationName } = work;
  if ((await queueVersion(db)) !== undefined) return 0;
  await using restored = openDatabase({
    connection: { ...connection, database: plan.scratch },
    applicationName,
    statementTimeoutMs: 0,
  });
  return await holdIn(restored, { manifest: set.manifest, adoptAs: plan.target });
}

async function cutOverOptions(work: SwapWork, keepAs: string): Promise<CutOverOptions> {
  const { id, database, scratch, files } = work.journal.record.facts;
  return {
    ...work,
    ...(await swapTools(work)),
    replacement: scratch,
    keepAs,
    properties: 'copy',
    mark: { kind: 'kept', database, id, hasEnded: false },
    meanwhile: fileSwap(files, work.log),
  };
}
