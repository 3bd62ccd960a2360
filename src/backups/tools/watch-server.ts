import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';

/**
 * Makes a question that can be asked again and again: does the server work on this database, or has it grown since the
 * last time? A session that waits for its client or for a lock does not work.
 */
export function watchServer(maintenance: Kysely<Database>, database: string): () => Promise<boolean> {
  let lastSize = 0;
  return async () => {
    const { rows } = await sql<{ isActive: boolean; size: number }>`
      select exists (select from pg_catalog.pg_stat_activity
               where datname = ${database} and state = 'active' and wait_event_type is distinct from 'Lock'
                 and wait_event is distinct from 'ClientRead') as "isActive",
             pg_catalog.pg_database_size(${database}::name)::float8 as size`.execute(maintenance);
    const [{ isActive, size } = { isActive: false, size: 0 }] = rows;
    const hasGrown = size !== lastSize;
    lastSize = size;
    return isActive || hasGrown;
  };
}
