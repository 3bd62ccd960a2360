import type { Kysely } from 'kysely';
import type { Database } from '../database/tables.ts';
import { TendError } from '../errors.ts';
import type { Evidence } from './handlers/handler.ts';
import { type Decision, resolveTask } from './resolve-task.ts';

/**
 * Resolves the tasks whose worker was killed in the middle of something that another task has brought to its end, and
 * gives their last attempt the evidence. One that is not held (retried or dropped by a person meanwhile, or not in
 * this queue at all) stays as it is.
 *
 * @returns the tasks that were resolved.
 */
export async function settleKilledTasks(options: {
  db: Kysely<Database>;
  ids: readonly number[];
  decision: Decision;
  decidedBy: string;
  evidence: Evidence;
}): Promise<number[]> {
  const { db, ids, evidence, ...decided } = options;
  const settled: number[] = [];
  for (const id of ids) {
    try {
      await resolveTask({ db, id, ...decided });
    } catch (error) {
      if (!(error instanceof TendError)) throw error;
      if (error.code !== 'TASK_NOT_FOUND' && error.code !== 'TASK_STATE_CONFLICT') throw error;
      continue;
    }
    await db
      .updateTable('tend.attempts')
      .set({ evidence: JSON.stringify(evidence) })
      .where('task_id', '=', id)
      .where('evidence', 'is', null)
      .execute();
    settled.push(id);
  }
  return settled;
}
