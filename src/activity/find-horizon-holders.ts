import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/** Something that keeps VACUUM from removing dead rows. */
export interface HorizonHolder {
  kind: 'transaction' | 'prepared' | 'slot' | 'replica';
  /** The pid, the prepared transaction's name, or the slot's. */
  name: string;
  /** Whose it is: application and user, the preparing role, or the slot's plugin. */
  owner: string;
  database: string | null;
  /** How many transactions have begun since. */
  transactions: number;
  /** How long it has been open; null for a slot. */
  ageMs: number | null;
}

/**
 * All that holds back the xmin horizon, the oldest first: open transactions, prepared ones, replication slots, and
 * replicas with hot_standby_feedback (PostgreSQL manual, "Routine Vacuuming"). The session that asks is left out. Other
 * users' transactions are seen only with pg_read_all_stats.
 */
export async function findHorizonHolders(db: Kysely<Database>): Promise<HorizonHolder[]> {
  const { rows } = await sql<HorizonHolder>`
    select case when backend_type = 'walsender' then 'replica' else 'transaction' end as kind, pid::text as name,
           concat_ws(' ', nullif(application_name, ''), 'user ' || usename) as owner, datname::text as database,
           age(coalesce(backend_xmin, backend_xid)) as transactions,
           round(extract(epoch from clock_timestamp() - xact_start) * 1000)::float8 as "ageMs"
      from pg_stat_activity
     where coalesce(backend_xmin, backend_xid) is not null and pid <> pg_backend_pid()
       and backend_type in ('client backend', 'walsender')
    union all
    select 'prepared', gid, 'user ' || owner, database::text, age(transaction),
           round(extract(epoch from clock_timestamp() - prepared) * 1000)::float8
      from pg_prepared_xacts
    union all
    select 'slot', slot_name::text, coalesce(plugin::text, slot_type), database::text,
           greatest(age(xmin), age(catalog_xmin)), null
      from pg_replication_slots where xmin is not null or catalog_xmin is not null
     order by transactions desc, name`.execute(db);
  return rows;
}
