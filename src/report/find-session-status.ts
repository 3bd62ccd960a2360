import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/** Sessions of the server; keys of the JSON contract of `tend status`. */
export interface SessionStatus {
  /** In this database, the one that asks included. */
  ofTend: number;
  /** Of clients, in every database of the server. */
  total: number;
  maxConnections: number;
}

/**
 * Counts sessions without needing pg_monitor: the number of clients and their application names are there for everyone
 * (of a foreign session pg_stat_activity hides the state and the query, and the kind of backend).
 */
export async function findSessionStatus(db: Kysely<Database>): Promise<SessionStatus> {
  const { rows } = await sql<SessionStatus>`
    select count(*) filter (where datname = current_database() and application_name like 'tend%') as "ofTend",
           count(*) filter (where datid is not null and coalesce(backend_type, 'client backend') = 'client backend') as total,
           current_setting('max_connections')::int as "maxConnections"
      from pg_catalog.pg_stat_activity`.execute(db);
  return rows[0] ?? { ofTend: 0, total: 0, maxConnections: 0 };
}
