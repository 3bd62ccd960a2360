import { type Kysely, sql } from 'kysely';
import { repeatOnConflict } from '../database/repeat-on-conflict.ts';
import type { Database } from '../database/tables.ts';
import { TendError } from '../errors.ts';
import { showTask } from './show-task.ts';
import type { TaskState } from './states.ts';

/** What a person decides about a held task: it was done, do it again, or let it be. */
export type Decision = 'done' | 'retry' | 'drop';

const nextState = { done: 'succeeded', retry: 'waiting', drop: 'cancelled' } as const satisfies Record<
  Decision,
  TaskState
>;

interface ResolveOptions {
  db: Kysely<Database>;
  id: number;
  decision: Decision;
  decidedBy: string;
}

/**
 * Ends the hold of a task by a person's decision, which stays on the row with who decided. For a mail, `done` also
 * marks the delivery as sent and `retry` lets its unknown recipients be tried again.
 *
 * @throws TendError TASK_NOT_FOUND; TASK_STATE_CONFLICT when the task is not held, or its unique key waits again.
 */
export async function resolveTask(options: ResolveOptions): Promise<TaskState> {
  const { db, id, decision } = options;
  const state = nextState[decision];
  // A newer task with its unique key may come at this very moment; then it is seen.
  if (await repeatOnConflict(() => endHold(options, state))) return state;
  const task = await showTask({ db, id });
  const why =
    task.state === 'held'
      ? `another task with its unique key "${task.uniqueKey}" is waiting`
      : `it is ${task.state}, not held`;
  throw new TendError('TASK_STATE_CONFLICT', `Task ${id} cannot be resolved: ${why}.`, {
    hint: `tend tasks explain ${id}`,
  });
}

/** False where the task is not held, or must not wait again. */
async function endHold({ db, id, decision, decidedBy }: ResolveOptions, state: TaskState): Promise<boolean> {
  const delivery = { done: 'sent', retry: 'composed', drop: 'refused' }[decision];
  const { rows } = await sql<{ id: number }>`
    with moved as (
      update tend.tasks t
         set state = ${state}, reason = ${`resolved as "${decision}" by ${decidedBy}`},
             finished_at = case when ${state}::text = 'waiting' then null else now() end,
             run_at = case when ${state}::text = 'waiting' then now() else t.run_at end,
             max_attempts = case when ${state}::text = 'waiting' then greatest(t.max_attempts, t.attempt + 1)
                                 else t.max_attempts end
       where t.id = ${id} and t.state = 'held'
         and (${state}::text <> 'waiting' or t.unique_key is null or not exists (
               select from tend.tasks w where w.unique_key = t.unique_key and w.state = 'waiting'))
      returning t.id
    ), mail as (
      update tend.deliveries d set committing_at = null, state = case
          when ${delivery}::text = 'sent' and d.recipients @? '$[*] ? (@.status == "refused" || @.status == "suppressed")'
          then 'partly-sent' else ${delivery} end
        from moved where d.task_id = moved.id and d.state in ('unknown', 'committing')
    ), alert as (
      -- Where it was what is broken, the next tick tells that it is over.
      update tend.alerts a set due_at = now()
        from moved where a.last_task_id = moved.id and a.phase = 'broken' and ${state}::text <> 'waiting'
    )
    select id from moved`.execute(db);
  return rows.length > 0;
}

/**
 * The one decision that was given.
 *
 * @throws TendError USAGE for none or several.
 */
export function onlyDecision(given: Record<Decision, boolean>): Decision {
  const decisions = (['done', 'retry', 'drop'] as const).filter((decision) => given[decision]);
  const [decision, second] = decisions;
  if (decision !== undefined && second === undefined) return decision;
  throw new TendError('USAGE', 'Say exactly one of --done (--sent), --retry (--resend) or --drop.');
}
