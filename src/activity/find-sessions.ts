import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/** A session of a client, as pg_stat_activity shows it. Ages are by the database's clock. */
export interface Session {
  pid: number;
  /** As the client names itself; '' where it does not. */
  application: string;
  user: string;
  database: string;
  /** Address of the client, `local` for a socket, null where it is hidden from us. */
  client: string | null;
  /** `active`, `idle`, `idle in transaction`, …; null where it is hidden from us. */
  state: string | null;
  ageMs: number | null;
  transactionAgeMs: number | null;
  /** How long it has been in its state. */
  stateAgeMs: number | null;
  /** The sessions it waits for. */
  blockedBy: number[];
  isOwn: boolean;
  /** State, client and ages are hidden: it is another user's, and we are not in pg_read_all_stats. */
  isHidden: boolean;
}

/**
 * Every client's session on the server, by pid. What statements they run is left out: there are secrets in statements.
 * Takes no lock but for a moment those of the lock table, for each session that waits (pg_blocking_pids).
 */
export async function findSessions(db: Kysely<Database>): Promise<Session[]> {
  const { rows } = await sql<Session>`
    select a.pid, coalesce(a.application_name, '') as application, coalesce(a.usename, '') as "user",
           coalesce(a.datname, '') as database,
           case when a.backend_type is null then null else coalesce(host(a.client_addr), 'local') end as client, a.state,
           round(extract(epoch from clock_timestamp() - a.backend_start) * 1000)::float8 as "ageMs",
           round(extract(epoch from clock_timestamp() - a.xact_start) * 1000)::float8 as "transactionAgeMs",
           round(extract(epoch from clock_timestamp() - a.state_change) * 1000)::float8 as "stateAgeMs",
           case when a.wait_event_type = 'Lock' or a.backend_type is null
                then array(select distinct b from unnest(pg_blocking_pids(a.pid)) b where b > 0 order by b)
                else '{}' end as "blockedBy",
           a.pid = pg_backend_pid() as "isOwn", a.backend_type is null as "isHidden"
      from pg_stat_activity a
     where a.backend_type = 'client backend' or a.backend_type is null and a.datid is not null and a.usesysid is not null
     order by a.pid`.execute(db);
  return rows;
}
