import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/** How many sessions the server takes. */
export interface ConnectionLimits {
  maxConnections: number;
  /** Kept for superusers, and from PostgreSQL 16 on for members of pg_use_reserved_connections. */
  reserved: number;
  /** Limits of roles (`connection limit`), for those that have one. */
  byUser: Record<string, number>;
}

/** The server's limits, which everybody may read. */
export async function findLimits(db: Kysely<Database>): Promise<ConnectionLimits> {
  const { rows } = await sql<ConnectionLimits>`
    select current_setting('max_connections')::integer as "maxConnections",
           current_setting('superuser_reserved_connections')::integer
             + coalesce(current_setting('reserved_connections', true)::integer, 0) as reserved,
           (select coalesce(jsonb_object_agg(r.rolname, r.rolconnlimit), '{}') from pg_roles r
             where r.rolconnlimit >= 0 and not r.rolsuper) as "byUser"`.execute(db);
  const [limits] = rows;
  if (limits === undefined) throw new Error('The server tells no limits.');
  return limits;
}
