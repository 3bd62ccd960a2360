import type { Kysely } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import type { ArchiveToc } from '../archive/archive-toc.ts';
import { readyArchive } from '../archive/ready-archive.ts';
import { tryToDropOldReplaced } from '../cut-over/drop-old-replaced.ts';
import { endUndone } from '../cut-over/end-restore.ts';
import type { RestoreFacts } from '../cut-over/find-restores.ts';
import { findUnfinishedRestores } from '../cut-over/find-unfinished-restores.ts';
import { replaceLive } from '../cut-over/replace-live.ts';
import { RestoreJournal } from '../cut-over/restore-journal.ts';
import { sweepRestores } from '../cut-over/sweep-restores.ts';
import { requireIdentity } from '../parts/require-identity.ts';
import { newBackupId } from '../sets/backup-id.ts';
import { lockBackups } from '../sets/backup-lock.ts';
import { serverOptions } from '../tools/tool-environment.ts';
import type { RestoredRows } from './compare-restored.ts';
import { finishInto } from './finish-into.ts';
import { sweepFresh } from './fresh-files.ts';
import { openMaintenanceDatabase } from './maintenance-database.ts';
import { type FilesPlan, planFiles } from './plan-files.ts';
import { planRestore, type RestorePlan } from './plan-restore.ts';
import { refusePooler } from './refuse-pooler.ts';
import { refuseUnfinished } from './refuse-unfinished.ts';
import { restoreBeside } from './restore-beside.ts';
import type { RestoreBackupOptions, RestoreEnding, RestoreResult } from './restore-options.ts';
import { dropDatabase, sweepScratchDatabases } from './scratch-database.ts';
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
 * leaves nothing but the error. A process that is killed leaves a journal, by which `settleRestore` ends what it began.
 *
 * @throws TendError RESTORE_UNFINISHED (another was killed over this database), RESTORE_REFUSED (nothing was begun, or
 *   the restored data differ from the manifest), BACKUP_DAMAGED, BACKUP_KEY_MISSING, BACKUP_KEY_WRONG, BACKUP_BUSY,
 *   DATABASE_BUSY (a pooler is in between), RESTORE_ROLLED_BACK (exit 1), RESTORE_STUCK (exit 2).
 */
export async function restoreBackup(options: RestoreBackupOptions): Promise<RestoreResult> {
  const { set, connection, applicationName, into, clock, log, progress, journalDirectory } = options;
  const { database } = connection;
  requireIdentity(set.manifest, options.identity);
  if (into === undefined) options.app.preflight?.();
  using _lock = await lockBackups(options.lockDirectory ?? journalDirectory);
  await refusePooler({ connection, applicationName, clock });
  await using maintenance = await openMaintenanceDatabase({ connection, applicationName });
  const unfinished = await findUnfinishedRestores({
    ...{ db: maintenance, live: options.db, database, directory: journalDirectory },
  });
  if (into === undefined) refuseUnfinished(unfinished);
  const id = newBackupId(clock.now());
  const files = await filesOf(options, id);
  const plan = await planRestore({ set, source: options.source, connection, maintenance, into, id, files });
  for (const warning of plan.warnings) log.warn(warning);
  const work: RestoreWork = {
    ...options,
    plan,
    maintenance,
    serverOptions: await serverOptions(maintenance, connection),
  };
  await using archive = await progress.step(`Verify backup set ${set.id}`, async (report) => {
    return await readyArchive({ ...options, ...plan, report });
  });
  await sweepRestores({ ...options, unfinished, maintenance });
  await sweepScratchDatabases({ maintenance, database, log });
  const ready = { ...work, archivePath: archive.path };
  const ending = plan.mode === 'into' ? await restoreInto(ready, id) : await restoreInPlace(ready, id);
  return {
    backupId: set.id,
    restoreId: id,
    database: plan.target,
    files: plan.files.map(({ live, keptAs }) => ({ path: live, keptAs })),
    snapshotAt: set.manifest.snapshot?.at ?? null,
    ...ending,
  };
}

/** Where the files of the set go; what killed restores have unpacked is removed first, for the space that it takes. */
async function filesOf(options: RestoreBackupOptions, id: string): Promise<FilesPlan | undefined> {
  const { files, into, set } = options;
  if (files === undefined) return undefined;
  if (into === undefined) await sweepFresh({ ...options, ...files });
  return await planFiles({ ...files, set, id, mode: into === undefined ? 'replace' : 'into' });
}

/** The journal says who is at it, so that what is left of a killed one can go. */
async function restoreInto(work: RestoreWork, id: string): Promise<RestoredRows & RestoreEnding> {
  const journal = await RestoreJournal.begin({
    ...{ ...work, directory: work.journalDirectory, facts: factsOf(work, id) },
  });
  try {
    const { toc, ...restored } = await restoreBeside(work);
    const ending = await finishInto({ ...work, toc });
    await journal.remove();
    return { ...restored, ...ending };
  } catch (error) {
    if (await dropScratch(work)) await journal.remove();
    throw error;
  }
}

async function restoreInPlace(work: RestoreWork, id: string): Promise<RestoredRows & RestoreEnding> {
  const { maintenance, plan, clock, log, progress, keepReplacedMs, journalDirectory: directory } = work;
  const journal = await RestoreJournal.begin({ ...work, directory, facts: factsOf(work, id) });
  try {
    const { toc, ...restored } = await restoreBeside(work);
    if (plan.files.length > 0) {
      await progress.step('Unpack files', async (report) => {
        await unpackFiles({ ...work, report, files: plan.files, silenceMs: work.files?.backup.silence });
      });
    }
    const ending = await replaceLive({ ...work, toc, journal });
    const { target: database } = plan;
    await tryToDropOldReplaced({ maintenance, database, directory, keepMs: keepReplacedMs, clock, log });
    return { ...restored, ...ending };
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

function factsOf(
  { plan, set, source, app, into, connection: { database } }: RestoreWork,
  id: string,
): RestoreFacts {
  const { scratch, keptAs = null, undoneAs } = plan;
  const files = plan.files.map(({ live, fresh, keptAs: kept }) => ({ live, fresh, keptAs: kept }));
  const touchesApp = app.restart !== undefined || app.check !== undefined;
  return { id, database, backupId: set.id, source, scratch, keptAs, undoneAs, files, touchesApp, into };
}

/** What was restored has no name of its own yet. */
async function dropScratch({ maintenance, plan, log }: RestoreWork): Promise<boolean> {
  try {
    await dropDatabase(maintenance, plan.scratch);
    return true;
  } catch {
    log.warn(`Database "${plan.scratch}" could not be dropped; the next restore does it.`);
    return false;
  }
}
