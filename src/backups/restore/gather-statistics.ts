import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import { untilAborted } from '../../until-aborted.ts';
import { findPostgresProgram, type PostgresProgram } from '../tools/find-postgres-program.ts';
import { runPostgresTool } from '../tools/run-postgres-tool.ts';
import { withStallLimit } from '../tools/stall-limit.ts';
import { toolEnvironment } from '../tools/tool-environment.ts';
import { watchServer } from '../tools/watch-server.ts';
import { databaseArgument, type LoadArchiveOptions } from './load-archive.ts';

export interface GatherStatisticsOptions extends Omit<LoadArchiveOptions, 'pgRestore'> {
  /** A handle on the database. */
  db: Kysely<Database>;
  serverMajor: number;
  toolsDirectory: string | undefined;
}

/**
 * Gathers the planner's statistics of a loaded database, several tables at once where `vacuumdb` is installed. It leaves
 * out partitioned tables, which are made up for: nobody else would ever gather theirs.
 */
export async function gatherStatistics(options: GatherStatisticsOptions): Promise<void> {
  const { db, jobs, signal } = options;
  const vacuumdb = jobs > 1 ? await findVacuumdb(options) : undefined;
  if (vacuumdb === undefined) {
    await untilAborted(signal, sql`analyze`.execute(db));
    return;
  }
  await analyzeTables(options, vacuumdb);
  await untilAborted(signal, analyzePartitioned(db));
}

async function analyzeTables(options: GatherStatisticsOptions, vacuumdb: PostgresProgram): Promise<void> {
  const { connection, database, maintenance, serverOptions, jobs, env, secrets, log } = options;
  const limit = {
    name: 'vacuumdb',
    limitMs: options.stallLimitMs ?? stallLimitMs,
    signal: options.signal,
    isBusy: watchServer(maintenance, database),
  };
  await withStallLimit(limit, async (signal) => {
    await runPostgresTool({
      file: vacuumdb.path,
      args: ['--analyze-only', '--quiet', '--no-password', `--jobs=${jobs}`, databaseArgument(database)],
      baseEnv: env,
      env: toolEnvironment({ connection, database, tool: 'vacuumdb', serverOptions }),
      ...{ secrets, log, signal },
    });
  });
}

/** It waits for locks, as autovacuum's, for longer than loading stands still. */
const stallLimitMs = 15 * 60_000;

/** Partitions are sampled once more for it, which is little beside what was gathered already. */
async function analyzePartitioned(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ schema: string; name: string }>`
    select n.nspname as schema, c.relname as name
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'p' and not c.relispartition`.execute(db);
  for (const { schema, name } of rows) await sql`analyze ${sql.id(schema, name)}`.execute(db);
}

async function findVacuumdb(options: GatherStatisticsOptions): Promise<PostgresProgram | undefined> {
  try {
    return await findPostgresProgram({ ...options, name: 'vacuumdb', major: options.serverMajor });
  } catch (error) {
    if (error instanceof TendError && error.code === 'TOOL_NOT_FOUND') return undefined;
    throw error;
  }
}
