import type { AppControls } from '../app/app-controls.ts';
import { changeAppSafely } from '../app/change-app-safely.ts';
import { openDatabase } from '../database/open-database.ts';
import type { Progress } from '../log.ts';
import { type CutOverOptions, cutOver, isCutOver } from './cut-over.ts';
import { findPostgresProgram } from './find-postgres-program.ts';
import { finishLost, holdIn } from './finish-into.ts';
import { queueVersion } from './queue-schema.ts';
import type { RestoreWork } from './restore-backup.ts';
import type { RestoreEnding } from './restore-options.ts';

/**
 * Puts the restored database in the place of the live one, restarts the application and checks it; when it is not
 * healthy with the restored data, the same way back. A live database that was lost needs no way back: the restored one
 * takes the name, and stays even when the application is not well.
 */
export async function replaceLive(work: RestoreWork): Promise<RestoreEnding> {
  const { plan, app, log, progress, signal } = work;
  const { keptAs, target } = plan;
  if (keptAs === undefined) {
    const ending = await finishLost(work);
    await app.restart?.(signal);
    await app.check?.(signal);
    return ending;
  }
  const heldTasks = await holdWhereNoQueueIsCarried(work);
  const forward = await cutOverOptions(work, keptAs);

  const { outageMs } = await changeAppSafely({
    subject: `the restored database "${target}"`,
    apply: async () =>
      await progress.step(`Cut over to "${plan.scratch}"`, async () => await cutOver(forward)),
    undo: async () =>
      await progress.step('Put the old database back', async () => await undoCutOver(forward)),
    ...withSteps(app, progress),
    rolledBackCode: 'RESTORE_ROLLED_BACK',
    stuckCode: 'RESTORE_STUCK',
    stuckHint: `The database as it was before is "${keptAs}" (or still "${target}"); the restored one is "${target}" (or "${plan.scratch}"). See both: psql -l`,
    log,
    signal,
  });
  log.info(`Database "${target}" was away for ${outageMs} ms; the old one is kept as "${keptAs}".`);
  return { keptAs, outageMs, heldTasks };
}

function withSteps({ preflight, restart, check }: AppControls, progress: Progress): AppControls {
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

async function cutOverOptions(work: RestoreWork, keepAs: string): Promise<CutOverOptions> {
  const { plan, toolsDirectory, env, signal } = work;
  const find = async (name: 'pg_dump' | 'pg_restore') =>
    await findPostgresProgram({ name, major: plan.serverMajor, toolsDirectory, env, signal });
  return {
    ...work,
    name: plan.target,
    replacement: plan.scratch,
    keepAs,
    properties: 'copy',
    pgDump: await find('pg_dump'),
    pgRestore: await find('pg_restore'),
  };
}

/** The same cut-over with the names exchanged, if there was one; it cannot be stopped any more. */
async function undoCutOver(forward: CutOverOptions): Promise<void> {
  const { maintenance, name, replacement, keepAs } = forward;
  if (!(await isCutOver(maintenance, { name, keepAs }))) return;
  await cutOver({
    ...forward,
    replacement: keepAs,
    keepAs: replacement,
    properties: 'keep',
    signal: new AbortController().signal,
  });
}
