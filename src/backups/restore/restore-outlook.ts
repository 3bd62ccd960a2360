import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import { totalRows } from '../sets/manifest.ts';

/** Loading, indexing and counting take this many times as long as dumping did, on the machines it was measured on. */
const restorePerDump = 4;

/** How long a restore is likely to take, and what tells. */
export interface RestoreEstimate {
  durationMs: number;
  from: 'an earlier restore' | 'the duration of the backup';
}

/**
 * Guesses how long a restore will take: as long as the last one here took for as many rows, or else some multiple of
 * the time that the dump took. Undefined where neither is known.
 */
export async function estimateRestore(options: {
  set: BackupSet;
  /** The handle on the live database, whose queue has earlier restores on record; it may be out of reach. */
  db: Kysely<Database>;
}): Promise<RestoreEstimate | undefined> {
  const { manifest } = options.set;
  const rows = totalRows(manifest.tables);
  const earlier = await lastRestore(options.db).catch(() => undefined);
  if (earlier !== undefined && earlier.rows > 0 && rows > 0) {
    const durationMs = Math.round((earlier.durationMs * rows) / earlier.rows);
    return { durationMs, from: 'an earlier restore' };
  }
  if (manifest.durationMs === 0) return undefined;
  return { durationMs: manifest.durationMs * restorePerDump, from: 'the duration of the backup' };
}

async function lastRestore(db: Kysely<Database>): Promise<{ durationMs: number; rows: number } | undefined> {
  const { rows } = await sql<{ durationMs: number; rows: number }>`
    select round(extract(epoch from a.finished_at - a.started_at) * 1000)::float8 as "durationMs",
           (a.evidence ->> 'rows')::float8 as rows
      from tend.attempts a join tend.tasks t on t.id = a.task_id
     where t.kind = 'restore' and a.outcome = 'succeeded' and a.evidence ? 'rows'
     order by a.finished_at desc limit 1`.execute(db);
  return rows[0];
}

/** Sessions of one program under one role. */
export interface SessionGroup {
  role: string;
  application: string;
  count: number;
}

/** The sessions of a database, which a cut-over ends. */
export async function findSessions(maintenance: Kysely<Database>, database: string): Promise<SessionGroup[]> {
  const { rows } = await sql<SessionGroup>`
    select usename as role, application_name as application, count(*) as count
      from pg_catalog.pg_stat_activity
     where datname = ${database} and usename is not null and application_name not like 'tend restore%'
     group by 1, 2 order by 3 desc, 1, 2`.execute(maintenance);
  return rows;
}
