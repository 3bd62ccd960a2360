import { type Kysely, sql } from 'kysely';
import { refuseCopy } from './refuse-copy.ts';
import type { Database } from './tables.ts';

/**
 * Stops with 78 in a clone or a restored copy: its tasks are those of another database, whose ticks do them.
 *
 * @throws TendError DATABASE_IS_A_COPY.
 */
export async function requireOwnDatabase(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ copiedFrom: string | null; database: string }>`
    select tend.copied_from() as "copiedFrom", current_database() as database`.execute(db);
  for (const { copiedFrom, database } of rows) refuseCopy(copiedFrom, database);
}
