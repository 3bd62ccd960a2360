import type { Kysely } from 'kysely';
import type { Database } from '../database/tables.ts';
import type { TaskState } from './states.ts';
import { summaryColumns, type TaskSummary, toTaskSummary } from './task-row.ts';

export interface ListTasksOptions {
  db: Kysely<Database>;
  /** Empty for every state. */
  states: readonly TaskState[];
  /** Empty for every kind. */
  kinds: readonly string[];
  /** Only tasks created, started or finished since. */
  since?: Date | undefined;
  limit: number;
}

/** Tasks, newest first. One more than `limit` is never returned: `isCut` tells whether there are more. */
export async function listTasks(
  options: ListTasksOptions,
): Promise<{ tasks: TaskSummary[]; isCut: boolean }> {
  const { db, states, kinds, since, limit } = options;
  let query = db.selectFrom('tend.tasks').select(summaryColumns);
  if (states.length > 0) query = query.where('state', 'in', states);
  if (kinds.length > 0) query = query.where('kind', 'in', kinds);
  if (since !== undefined) {
    query = query.where((eb) =>
      eb.or([eb('created_at', '>=', since), eb('started_at', '>=', since), eb('finished_at', '>=', since)]),
    );
  }
  const rows = await query
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
  return { tasks: rows.slice(0, limit).map(toTaskSummary), isCut: rows.length > limit };
}
