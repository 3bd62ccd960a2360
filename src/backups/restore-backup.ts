import { type Kysely, sql } from 'kysely';
import { openDatabase } from '../database/open-database.ts';
import type { Database } from '../database/tables.ts';
import { TendError } from '../errors.ts';
import { untilAborted } from '../until-aborted.ts';
import { newBackupId } from './backup-id.ts';
import { lockBackups } from './backup-lock.ts';
import { compareWithManifest } from './compare-with-manifest.ts';
import { findPostgresProgram } from './find-postgres-program.ts';
import { finishInto } from './finish-into.ts';
import { removeFresh, sweepFresh } from './fresh-files.ts';
import { loadArchive } from './load-archive.ts';
import { openMaintenanceDatabase } from './maintenance-database.ts';
import { totalRows } from './manifest.ts';
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
  const plan = await planRestore({ set, maintenance, database: connection.database, into, id, files });
  for (const warning of plan.warnings) log.warn(warning);
  const work: RestoreWork = {
    ...options,
    plan,
    maintenance,
    serverOptions: await serverOptions(maintenance, connection),
  };
  await using archive = await progress.step(`Verify backup set ${set.id}`, async () => {
    return await readyArchive(options);
  });
  await sweepScratchDatabases({ maintenance, database: connection.database, log });
  try {
    await restoreBeside({ ...work, archivePath: archive.path });
    const ending = plan.mode === 'into' ? await finishInto(work) : await replaceLive(work);
    return {
      backupId: set.id,
      database: plan.target,
      tables: set.manifest.tables.length,
      rows: totalRows(set.manifest.tables),
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

/** Restores into the scratch database and compares it with the manifest. */
async function restoreBeside(work: RestoreWork): Promise<void> {
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

  await progress.step(
    'Load the dump',
    async () => await loadArchive({ ...work, database: scratch, pgRestore }),
  );
  await using db = openDatabase({
    connection: { ...connection, database: scratch },
    applicationName,
    statementTimeoutMs: 0,
  });

  const differences = await progress.step('Compare with the manifest', async () => {
    return await untilAborted(signal, compareWithManifest({ db, manifest: set.manifest, clock }));
  });
  if (differences.length > 0) throw differs(set.id, differences);

  await progress.step('Gather statistics', async () => {
    await untilAborted(signal, sql`analyze`.execute(db));
  });
  if (plan.files.length === 0) return;
  await progress.step('Unpack files', async () => {
    await unpackFiles({ ...work, files: plan.files, silenceMs: work.files?.backup.silence });
  });
}

/** After a way back, or before the cut-over: what was restored is not the live database, whatever its name is. */
async function dropScratch({ maintenance, plan, log }: RestoreWork): Promise<void> {
  try {
    await dropDatabase(maintenance, plan.scratch);
  } catch {
    log.warn(`Database "${plan.scratch}" could not be dropped; the next restore does it.`);
  }
}

function differs(id: string, differences: string[]): TendError {
  const [first = '', ...others] = differences;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return new TendError(
    'RESTORE_REFUSED',
    `What was restored from "${id}" is not what was dumped: ${first}${more}.`,
    {
      isPermanent: true,
      details: differences.join('\n'),
      hint: 'Nothing was changed. See the other sets: tend backup list',
    },
  );
}
