import { type RawBuilder, sql } from 'kysely';
import type { ClaimedTask } from './claim-due-tasks.ts';
import type { AttemptEnding } from './finish-attempts.ts';

/** What the statement that finishes attempts says of the tasks they leave behind. */
export interface FollowUpClauses {
  given: RawBuilder<unknown>;
  orSupersedes: RawBuilder<unknown>;
  isWanted: RawBuilder<unknown>;
  enqueued: RawBuilder<unknown>;
  count: RawBuilder<unknown>;
}

export const noFollowUps: FollowUpClauses = {
  ...{ given: sql``, orSupersedes: sql``, isWanted: sql``, enqueued: sql``, count: sql`` },
};

/**
 * Enqueues follow-up tasks for the rows that were moved, thus under a lease that still held. All rows move first (the
 * sort reads them all): a follow-up with the unique key of a task that waits again in the same statement replaces it, as
 * one that came later would. A task whose cancel was asked for leaves nothing behind.
 */
export function enqueueFollowUps(
  endings: readonly { task: ClaimedTask; ending: AttemptEnding }[],
): FollowUpClauses {
  const given = endings
    .filter(({ ending }) => ending.followUps.length > 0)
    .map(({ task, ending }) => ({ finished: task.id, token: task.token, tasks: ending.followUps }));
  return {
    given: sql`follow_ups as materialized (
      select f.* from jsonb_to_recordset(${JSON.stringify(given)}::jsonb) as f (finished bigint, token uuid, tasks jsonb)
    ),`,
    orSupersedes: sql`or exists (
      select from follow_ups f join tend.tasks mine on mine.id = f.finished
       where f.token = e.token and f.tasks @> jsonb_build_array(jsonb_build_object('uniqueKey', mine.unique_key)))`,
    isWanted: sql`, (t.state <> 'cancelled' or t.cancel_requested_at is null) as is_wanted`,
    enqueued: sql`, enqueued as materialized (
      select sum(tend.enqueue_follow_ups(m.id, f.tasks)) as tasks
        from (select * from moved order by id) m join follow_ups f on f.token = m.token
       where m.is_wanted
    )`,
    // Named in the result, since a query that nobody reads is not run.
    count: sql`, (select tasks from enqueued) as enqueued`,
  };
}
