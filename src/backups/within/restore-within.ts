import { type Kysely, sql } from 'kysely';
import { countOf } from '../../count-of.ts';
import { openDatabase } from '../../database/open-database.ts';
import type { Database } from '../../database/tables.ts';
import { TendError, toError } from '../../errors.ts';
import { untilAborted } from '../../until-aborted.ts';
import { readyArchive } from '../archive/ready-archive.ts';
import { countRows } from '../create/count-rows.ts';
import { appWithSteps } from '../cut-over/change-live.ts';
import type { RestoreFacts } from '../cut-over/find-restores.ts';
import { findUnfinishedRestores } from '../cut-over/find-unfinished-restores.ts';
import { sweepRestores } from '../cut-over/sweep-restores.ts';
import { requireIdentity } from '../parts/require-identity.ts';
import { compareWithManifest } from '../restore/compare-with-manifest.ts';
import { openMaintenanceDatabase } from '../restore/maintenance-database.ts';
import { refusePooler } from '../restore/refuse-pooler.ts';
import { refuseUnfinished } from '../restore/refuse-unfinished.ts';
import type { RestoreBackupOptions, RestoreResult } from '../restore/restore-options.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import { companionDatabase, newBackupId } from '../sets/backup-id.ts';
import { lockBackups } from '../sets/backup-lock.ts';
import { serverVersion } from '../sets/database-facts.ts';
import { totalRows } from '../sets/manifest.ts';
import { findPostgresProgram } from '../tools/find-postgres-program.ts';
import { serverOptions } from '../tools/tool-environment.ts';
import { describeWayBack } from './describe-way-back.ts';
import { journalled } from './journalled.ts';
import { loadWithin } from './load-within.ts';
import { named, planWithin, refuseUnfit } from './plan-within.ts';
import { queueSchema } from './select-entries.ts';
import { findWitness } from './witness.ts';

export interface RestoreWithinOptions extends RestoreBackupOptions {
  /** Takes a set of the live database, the only way back; undefined where no backup directory is configured. */
  backUpFirst: ((label: string) => Promise<BackupSet>) | undefined;
  /** How long pg_restore may wait for one lock. */
  lockWaitMs?: number;
}

/** Others wait behind it meanwhile. */
const lockWaitMs = 10_000;

/**
 * Restores a set within the live database, in one transaction of pg_restore: for a role that may not create databases.
 * The queue stays as it is. There is no way back by itself: a set of the live database is taken before, and is it.
 * The tables are locked while it is loaded. A process that is killed leaves a journal, by which `settleRestore` restarts and
 * checks the application.
 *
 * @throws TendError RESTORE_REFUSED, BACKUP_DAMAGED, DATABASE_BUSY, TOOL_FAILED: nothing was changed. RESTORE_STUCK: it is
 *   restored, and is not as it should be, or the application is not well with it.
 */
export async function restoreWithin(options: RestoreWithinOptions): Promise<RestoreResult> {
  const { set, connection, applicationName, clock, log, progress, signal, env } = options;
  const { database } = connection;
  requireIdentity(set.manifest, options.identity);
  refuseUnfit({ set, includeFiles: options.files === undefined ? 'no' : 'yes' });
  options.app.preflight?.();
  await refusePooler({ connection, applicationName, clock });
  await using maintenance = await openMaintenanceDatabase({ connection, applicationName });
  const directory = options.journalDirectory;
  await using live = openDatabase({ connection, applicationName, statementTimeoutMs: 0 });
  refuseUnfinished(await findUnfinishedRestores({ db: maintenance, live, database, directory }));
  const id = newBackupId(clock.now());
  const { major: serverMajor } = await serverVersion(live);
  await using archive = await progress.step(`Verify backup set ${set.id}`, async () => {
    return await readyArchive({ ...options, jobs: Math.max(2, options.jobs), serverMajor, space: undefined });
  });
  const { path } = archive;
  await planWithin(live, set, path);
  const saved = await options.backUpFirst?.(`before restore ${id}`);
  if (saved === undefined) log.warn('No [backup] directory is configured: there will be no way back.');

  using _lock = await lockBackups(options.lockDirectory ?? directory);
  // Anew: somebody may have made a table while the backup was taken.
  const { archivePath, entries } = await planWithin(live, set, path);
  const pgRestore = await findPostgresProgram({
    ...{ name: 'pg_restore', major: serverMajor, toolsDirectory: options.toolsDirectory, env, signal },
  });
  // Of one that was killed in place nothing is left but its journal.
  const killed = await findUnfinishedRestores({ db: maintenance, live, database, directory });
  refuseUnfinished(killed);
  const swept = killed.filter(({ facts }) => facts.within !== undefined);
  await sweepRestores({ unfinished: swept, maintenance, env, log });
  const within = { savedAs: saved?.id ?? null, witness: await findWitness(live, entries) };
  const facts = factsOf(options, { id, within });
  const restored = await journalled(
    { ...options, live, facts },
    {
      load: async () =>
        await progress.step('Load the dump', async () => {
          const given = { maintenance, database, pgRestore, archivePath, entries };
          await loadWithin({
            lockWaitMs,
            ...options,
            ...given,
            serverOptions: await serverOptions(live, connection),
          });
        }),
      bringUp: async () => {
        const way = describeWayBack(facts);
        const counted = await compareWithin(live, options, way);
        await bringBack(options, live, way);
        return counted;
      },
    },
  );
  return {
    ...{ backupId: set.id, restoreId: id, database, ...restored, compared: true, keptAs: null },
    ...{ outageMs: null, heldTasks: 0, files: [], snapshotAt: set.manifest.snapshot?.at ?? null },
    ...{ cutOverAt: null, laterTransactions: null, savedAs: saved?.id ?? null },
  };
}

/**
 * The application may have written again since the transaction ended: more rows are its own. Fewer, or other tables, are what
 * a trigger or a person made of it.
 */
async function compareWithin(live: Kysely<Database>, options: RestoreWithinOptions, wayBack: string) {
  const { set, clock, progress, signal, log } = options;
  const isOfApplication = ({ schema }: { schema: string }) => schema !== queueSchema;
  return await progress.step('Compare with the manifest', async () => {
    const tables = (await untilAborted(signal, countRows({ db: live, clock }))).filter(isOfApplication);
    const counted = new Map(tables.map((table) => [`${table.schema}.${table.name}`, table.rows ?? 0]));
    const expected = set.manifest.tables.filter(isOfApplication).map((table) => {
      const here = counted.get(`${table.schema}.${table.name}`) ?? 0;
      const isMore = table.rows !== null && here > table.rows;
      if (isMore)
        log.warn(
          `Table "${table.schema}"."${table.name}" has ${countOf(here, 'row')}, more than the ${table.rows} of the backup.`,
        );
      return isMore ? { ...table, rows: here } : table;
    });
    const manifest = { ...set.manifest, tables: expected, sequences: [] };
    const differences = await compareWithManifest({ db: live, manifest, tables, largeObjects: 'unknown' });
    if (differences.length > 0)
      throw stuck('is restored, and is not what was dumped', differences, wayBack, options);
    return { tables: tables.length, rows: totalRows(tables) };
  });
}

async function bringBack(
  options: RestoreWithinOptions,
  live: Kysely<Database>,
  wayBack: string,
): Promise<void> {
  const { app, progress, signal } = options;
  await progress.step(
    'Gather statistics',
    async () => await untilAborted(signal, sql`analyze`.execute(live)),
  );
  const { restart, check } = appWithSteps(app, progress);
  try {
    await restart?.(signal);
    await check?.(signal);
  } catch (error) {
    throw stuck(
      'is restored, and the application is not well with it',
      [toError(error).message],
      wayBack,
      options,
      error,
    );
  }
}

/** No database is made: the names are those that others would have. */
function factsOf(
  { set, source, app, connection: { database } }: RestoreWithinOptions,
  { id, within }: Required<Pick<RestoreFacts, 'id' | 'within'>>,
): RestoreFacts {
  return {
    ...{ id, database, backupId: set.id, source, keptAs: null, files: [], within },
    scratch: companionDatabase(database, 'tend', id),
    undoneAs: companionDatabase(database, 'undone', id),
    touchesApp: app.restart !== undefined || app.check !== undefined,
  };
}

function stuck(
  what: string,
  why: string[],
  hint: string,
  { connection }: RestoreWithinOptions,
  cause?: unknown,
): TendError {
  const message = `Database "${connection.database}" ${what}: ${named(why)}.`;
  return new TendError('RESTORE_STUCK', message, { isPermanent: true, details: why.join('\n'), hint, cause });
}
