import { sql } from 'kysely';
import { errorCodeOf } from '../database/translate-database-error.ts';
import { TendError } from '../errors.ts';
import type { ClaimedTask, ClaimOptions } from './claim-due-tasks.ts';
import { claimedColumns, lease } from './claim-statement.ts';
import { explainTask } from './explain-task.ts';

/**
 * Claims the waiting task `id`, also one that is not due yet or above a limit: a person asked for it. Not one
 * that is paused.
 *
 * @throws TendError TASK_NOT_FOUND; TASK_STATE_CONFLICT with the reasons it cannot run now.
 */
export async function claimTask(
  options: Omit<ClaimOptions, 'count' | 'queues'> & { id: number },
): Promise<ClaimedTask> {
  const { db, id, worker, kinds } = options;
  const claimed = await sql<ClaimedTask>`
    update tend.tasks t
       set ${lease(options)}, limit_place = null, host_place = null
     where t.id = ${id} and t.state = 'waiting' and t.kind = any(${kinds}::text[])
       and (t.host is null or t.host = ${worker.host})
       and not exists (
         select from tend.pauses p where p.name = case p.scope when 'kind' then t.kind else t.queue end)
    returning ${claimedColumns}`
    .execute(db)
    .catch((error: unknown) => {
      if (errorCodeOf(error) === '23505') return undefined;
      throw error;
    });
  const task = claimed?.rows[0];
  if (task !== undefined) return task;
  const { reasons } = await explainTask({ db, id, knownKinds: kinds, host: worker.host });
  const why = reasons.filter(({ blocks, check }) => blocks && !overruled.has(check)).map(({ text }) => text);
  throw new TendError(
    'TASK_STATE_CONFLICT',
    `Task ${id} cannot be run now: ${why.join('; ') || 'try again'}.`,
    {
      hint: `tend tasks explain ${id}`,
    },
  );
}

/** What keeps a tick from a task, and not a person. */
const overruled = new Set(['due', 'limit']);
