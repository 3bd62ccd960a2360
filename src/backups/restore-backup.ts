import { type Kysely, sql } from 'kysely';
import { openDatabase } from '../database/open-database.ts';
import type { Database } from '../database/tables.ts';
import { TendError } from '../errors.ts';
import { untilAborted } from '../until-aborted.ts';
import type { ArchiveToc } from './archive-toc.ts';
import { newBackupId } from './backup-id.ts';
import { lockBackups } from './backup-lock.ts';
import { compareRestored, type RestoredRows } from './compare-restored.ts';
import { createsPublic } from './describe-archive.ts';
import { findPostgresProgram } from './find-postgres-program.ts';
import { finishInto } from './finish-into.ts';
import { removeFresh, sweepFresh } from './fresh-files.ts';
import { gatherStatistics } from './gather-statistics.ts';
import { loadArchive } from './load-archive.ts';
import { openMaintenanceDatabase } from './maintenance-database.ts';
import { planFiles } from './plan-files.ts';
import { planRestore, type RestorePlan } from './plan-restore.ts';
import { readyArchive } from './ready-archive.ts';
import { refusePooler } from './refuse-pooler.ts';
import { replaceLive } from './replace-live.ts';
import { requireIdentity } from './require-identity.ts';
import type { RestoreBackupOptions, RestoreResult } from './restore-options.ts';
import { createScratchDatabase, dropDatabase, sweepScratchDatabases } from './scratch-database.ts';
import { serverOptions } from './tool-environment.ts';
import { unpackFiles } from './unpack-files.ts';

/** What the steps of one restore share. */
export interface RestoreWork extends RestoreBackupOptions {
  plan: RestorePlan;
  maintenance: Kysely<Database>;
  /** See the function of this name. */
  serverOptions: string;
  /** Where the dump lies unpacked; undefined reads it from the set. */
  archivePath?: string | undefined;
  /** What was restored, as the archive lists it; undefined where it is of a version that is not known here. */
  toc?: ArchiveToc | undefined;
}

/**
 * Restores a backup set: beside the live database, checked against the manifest, and only then put in its place (or,
 * with `into`, under a name of its own). Until the cut-over the live database is not touched, and whatever goes wrong
 * leaves nothing but the error.
 *
 * @throws TendError RESTORE_REFUSED (nothing was begun, or the restored data differ from the manifest),
 *   BACKUP_DAMAGED, BACKUP_KEY_MISSING, BACKUP_KEY_WRONG, BACKUP_BUSY, DATABASE_BUSY (a pooler is in between), RESTORE_ROLLED_BACK (exit 1), RESTORE_STUCK (exit 2).
 */
export async function restoreBackup(options: RestoreBackupOptions): Promise<RestoreResult> {
  const { set, connection, applicationName, into, clock, log, progress, lockDirectory } = options;
  requireIdentity(set.manifest, options.identity);
  if (into === undefined) options.app.preflight?.();
  using lock = lockDirectory === undefined ? undefined : await lockBackups(lockDirectory);
  await refusePooler({ connection, applicationName, clock });
  await using maintenance = await openMaintenanceDatabase({ connection, applicationName });
  const id = newBackupId(clock.now());
  const mode = into === undefined ? 'replace' : 'into';
  // Before the space is looked at, which they may have taken.
  if (options.files && lock !== undefined) await sweepFresh({ ...options, ...options.files });
  const files = options.files && (await planFiles({ ...options.files, set, id, mode }));
  const plan = await planRestore({ set, connection, maintenance, into, id, files });
  for (const warning of plan.warnings) log.warn(warning);
  const work: RestoreWork = {
    ...options,
    plan,
    maintenance,
    serverOptions: await serverOptions(maintenance, connection),
  };
  await using archive = await progress.step(`Verify backup set ${set.id}`, async () => {
    return await readyArchive({ ...options, ...plan });
  });
  await sweepScratchDatabases({ maintenance, database: connection.database, log });
  try {
    const { toc, ...restored } = await restoreBeside({ ...work, archivePath: archive.path });
    const finished = { ...work, toc };
    const ending = plan.mode === 'into' ? await finishInto(finished) : await replaceLive(finished);
    return {
      backupId: set.id,
      database: plan.target,
      ...restored,
      files: plan.files.map(({ live, keptAs }) => ({ path: live, keptAs })),
      ...ending,
    };
  } catch (error) {
    // Where a person must act now, both databases stay.
    if (!(error instanceof TendError && error.code === 'RESTORE_STUCK')) {
      await dropScratch(work);
      await removeFresh(plan.files, options);
    }
    throw error;
  }
}

/** Restores into the scratch database and compares it with the manifest, where there is one. */
async function restoreBeside(work: RestoreWork): Promise<RestoredRows & Pick<RestoreWork, 'toc'>> {
  const { plan, set, connection, applicationName, clock, progress, signal, env } = work;
  const pgRestore = await findPostgresProgram({
    name: 'pg_restore',
    major: plan.serverMajor,
    toolsDirectory: work.toolsDirectory,
    env,
    signal,
  });
  const { scratch } = plan;
  const facts = set.manifest.database;
  await progress.step(`Create database "${scratch}"`, async () => {
    const creating = createScratchDatabase({
      ...work,
      ...plan,
      name: scratch,
      database: connection.database,
      facts,
    });
    await untilAborted(signal, creating);
  });

  await using db = openDatabase({
    connection: { ...connection, database: scratch },
    applicationName,
    statementTimeoutMs: 0,
  });
  if (set.foreign && createsPublic(set.foreign.toc)) await sql`drop schema public`.execute(db);
  const toc = await progress.step(
    'Load the dump',
    async () => await loadArchive({ ...work, database: scratch, pgRestore }),
  );

  const restored = await progress.step(
    set.foreign ? 'Count the rows' : 'Compare with the manifest',
    async () => await untilAborted(signal, compareRestored({ db, set, clock })),
  );

  await progress.step('Gather statistics', async () => {
    await gatherStatistics({ ...work, db, database: scratch, serverMajor: plan.serverMajor });
  });
  if (plan.files.length > 0) {
    await progress.step('Unpack files', async () => {
      await unpackFiles({ ...work, files: plan.files, silenceMs: work.files?.backup.silence });
    });
  }
  return { ...restored, toc };
}

/** After a way back, or before the cut-over: what was restored is not the live database, whatever its name is. */
async function dropScratch({ maintenance, plan, log }: RestoreWork): Promise<void> {
  try {
    await dropDatabase(maintenance, plan.scratch);
  } catch {
    log.warn(`Database "${plan.scratch}" could not be dropped; the next restore does it.`);
  }
}
