import type { Kysely } from 'kysely';
import type { Database } from '../database/tables.ts';

/**
 * The name of a task to the world: the same over all its attempts, also those after `tend tasks retry` and in a database
 * that was restored. The time is in it because a copy has the identity of its original and goes on with the same
 * numbers: a new task there must not be taken for another one here.
 */
export async function idempotencyKey(options: { db: Kysely<Database>; taskId: number }): Promise<string> {
  const { taskId } = options;
  const row = await options.db
    .selectFrom('tend.tasks')
    .innerJoin('tend.meta', (join) => join.onTrue())
    .select(['database_uuid', 'tend.tasks.created_at'])
    .where('id', '=', taskId)
    .executeTakeFirstOrThrow();
  return `tend-${row.database_uuid}-${taskId}-${row.created_at.getTime().toString(36)}`;
}
