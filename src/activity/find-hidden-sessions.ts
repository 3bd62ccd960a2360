import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/** What a role may not see of the server. */
export interface HiddenSessions {
  role: string;
  /** Sessions of other roles, replicas included, whose state and transactions are hidden: it is not in pg_read_all_stats. */
  hidden: number;
}

/**
 * How many sessions `findSessions` and `findHorizonHolders` can say nothing of. What has no database is a replica, or else a
 * process of the server itself, which hides nothing.
 */
export async function findHiddenSessions(db: Kysely<Database>): Promise<HiddenSessions> {
  const { rows } = await sql<HiddenSessions>`
    select current_user::text as role,
           (select count(*)::int from pg_stat_activity where backend_type is null
               and usesysid is not null and (datid is not null or pid in (select pid from pg_stat_replication))) as hidden`.execute(
    db,
  );
  return rows[0] ?? { role: '', hidden: 0 };
}
