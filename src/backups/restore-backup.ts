import { type Kysely, sql } from 'kysely';
import { openDatabase } from '../database/open-database.ts';
import type { Database } from '../database/tables.ts';
import { TendError } from '../errors.ts';
import { untilAborted } from '../until-aborted.ts';
import { newBackupId } from './backup-id.ts';
import { lockBackups } from './backup-lock.ts';
import { compareWithManifest } from './compare-with-manifest.ts';
import { tryToDropOldReplaced } from './drop-old-replaced.ts';
import { endUndone } from './end-restore.ts';
import { findPostgresProgram } from './find-postgres-program.ts';
import type { RestoreFacts } from './find-restores.ts';
import { findUnfinishedRestores } from './find-unfinished-restores.ts';
import { finishInto } from './finish-into.ts';
import { loadArchive } from './load-archive.ts';
import { openMaintenanceDatabase } from './maintenance-database.ts';
import { totalRows } from './manifest.ts';
import { planRestore, type RestorePlan } from './plan-restore.ts';
import { refusePooler } from './refuse-pooler.ts';
import { refuseUnfinished } from './refuse-unfinished.ts';
import { replaceLive } from './replace-live.ts';
import { RestoreJournal } from './restore-journal.ts';
import type { RestoreBackupOptions, RestoreEnding, RestoreResult } from './restore-options.ts';
import { createScratchDatabase, dropDatabase, sweepScratchDatabases } from './scratch-database.ts';
import { sweepRestores } from './sweep-restores.ts';
import { serverOptions } from './tool-environment.ts';
import { verifyBackup } from './verify-backup.ts';

/** What the steps of one restore share. */
export interface RestoreWork extends Omit<RestoreBackupOptions, 'files'> {
  plan: RestorePlan;
  maintenance: Kysely<Database>;
  /** See the function of this name. */
  serverOptions: string;
}

/**
 * Restores a backup set: beside the live database, checked against the manifest, and only then put in its place (or,
 * with `into`, under a name of its own). Until the cut-over the live database is not touched, and whatever goes wrong
 * leaves nothing but the error. A process that is killed leaves a journal, by which `settleRestore` ends what it began.
 *
 * @throws TendError RESTORE_UNFINISHED (another was killed over this database), RESTORE_REFUSED (nothing was begun, or the restored data differ from the manifest),
 *   BACKUP_DAMAGED, BACKUP_BUSY, DATABASE_BUSY (a pooler is in between), RESTORE_ROLLED_BACK (exit 1), RESTORE_STUCK (exit 2).
 */
export async function restoreBackup(options: RestoreBackupOptions): Promise<RestoreResult> {
  const { set, connection, applicationName, into, clock, log, progress, journalDirectory } = options;
  const { database } = connection;
  if (into === undefined) options.app.preflight?.();
  using _lock = await lockBackups(options.lockDirectory ?? journalDirectory);
  await refusePooler({ connection, applicationName, clock });
  await using maintenance = await openMaintenanceDatabase({ connection, applicationName });
  const unfinished = await findUnfinishedRestores({ db: maintenance, database, directory: journalDirectory });
  if (into === undefined) refuseUnfinished(unfinished);
  const id = newBackupId(clock.now());
  const files = options.files?.(id) ?? [];
  const plan = await planRestore({ set, maintenance, database, into, id, files });
  for (const warning of plan.warnings) log.warn(warning);
  const work: RestoreWork = {
    ...options,
    plan,
    maintenance,
    serverOptions: await serverOptions(maintenance, connection),
  };
  await progress.step(`Verify backup set ${set.id}`, async () => await verifyBackup(options));
  await sweepRestores({ unfinished, maintenance, log });
  await sweepScratchDatabases({ maintenance, database, log });
  const ending = plan.mode === 'into' ? await restoreInto(work) : await restoreInPlace(work, id);
  return {
    backupId: set.id,
    restoreId: id,
    database: plan.target,
    tables: set.manifest.tables.length,
    rows: totalRows(set.manifest.tables),
    snapshotAt: set.manifest.snapshot?.at ?? null,
    ...ending,
  };
}

async function restoreInto(work: RestoreWork): Promise<RestoreEnding> {
  try {
    await restoreBeside(work);
    return await finishInto(work);
  } catch (error) {
    await dropScratch(work);
    throw error;
  }
}

async function restoreInPlace(work: RestoreWork, id: string): Promise<RestoreEnding> {
  const { maintenance, plan, clock, log, keepReplacedMs, journalDirectory: directory } = work;
  const journal = await RestoreJournal.begin({ ...work, directory, facts: factsOf(work, id) });
  try {
    await restoreBeside(work);
    const ending = await replaceLive({ ...work, journal });
    const { target: database } = plan;
    await tryToDropOldReplaced({ maintenance, database, directory, keepMs: keepReplacedMs, clock, log });
    return ending;
  } catch (error) {
    // Where a person must act now, both databases stay; where everything was put back, that is all.
    const { phase } = journal.record;
    const isStuck = error instanceof TendError && error.code === 'RESTORE_STUCK';
    if (isStuck || phase === 'finished' || phase === 'undone') throw error;
    await endUndone({ ...work, journal, serverMajor: plan.serverMajor });
    if (phase === 'begun' || phase === 'cutting-over') await journal.remove();
    throw error;
  }
}

function factsOf({ plan, set, source, app }: RestoreWork, id: string): RestoreFacts {
  const { target: database, scratch, keptAs = null, undoneAs, files } = plan;
  const touchesApp = app.restart !== undefined || app.check !== undefined;
  return { id, database, backupId: set.id, source, scratch, keptAs, undoneAs, files, touchesApp };
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
}

/** What was restored has no name of its own yet. */
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
