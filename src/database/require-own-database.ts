import { type Kysely, sql } from 'kysely';
import { TendError } from '../errors.ts';
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

/**
 * @param copiedFrom what `tend.copied_from()` says: null where the database is its own.
 * @throws TendError DATABASE_IS_A_COPY.
 */
export function refuseCopy(copiedFrom: string | null, database: string): void {
  if (copiedFrom === null) return;
  throw new TendError(
    'DATABASE_IS_A_COPY',
    `Database "${database}" is a copy: its queue is that of ${copiedFrom}.`,
    { hint: 'To give it a queue of its own, and decide about the unfinished tasks: tend doctor --adopt' },
  );
}
