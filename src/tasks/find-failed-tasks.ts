import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/**
 * Ids of failed tasks, oldest first; `withinMs` counts back from the database's now. Restores are among them only where
 * `kind` asks for them: one that ran again with all the others would rewind the live database, which nobody had in mind.
 */
export async function findFailedTasks(options: {
  db: Kysely<Database>;
  withinMs?: number | undefined;
  kind?: string | undefined;
}): Promise<number[]> {
  const { db, withinMs, kind } = options;
  let query = db.selectFrom('tend.tasks').select('id').where('state', '=', 'failed');
  query = kind === undefined ? query.where('kind', '<>', 'restore') : query.where('kind', '=', kind);
  if (withinMs !== undefined) {
    query = query.where('finished_at', '>=', sql<Date>`now() - ${withinMs}::float8 * interval '1 ms'`);
  }
  const rows = await query.orderBy('id').execute();
  return rows.map(({ id }) => id);
}
