import { type Kysely, sql } from 'kysely';
import { isConflict, repeatOnConflict } from '../database/repeat-on-conflict.ts';
import type { AttemptOutcome, Database } from '../database/tables.ts';
import type { CheckedFollowUp } from './check-follow-up.ts';
import type { ClaimedTask } from './claim-due-tasks.ts';
import { enqueueFollowUps, noFollowUps } from './enqueue-follow-ups.ts';
import type { TaskState } from './states.ts';

/** How one attempt ended and where its task goes. */
export interface AttemptEnding {
  outcome: AttemptOutcome;
  state: Exclude<TaskState, 'running' | 'missed'>;
  /** Until a task that waits again is due. */
  delayMs: number;
  /** False where the attempt does not count against max_attempts: given back or postponed. */
  isCounted: boolean;
  /** False for a task that was claimed but never started: no try, no row. */
  isRecorded: boolean;
  reason: string | null;
  error: string | null;
  exitCode: number | null;
  outputTail: string | null;
  evidence: Record<string, unknown> | null;
  /** Tasks to be enqueued with it. */
  followUps: readonly CheckedFollowUp[];
}

export interface FinishedAttempt {
  token: string;
  /** Where the task is now; null when the lease was lost and somebody else decides about it. */
  state: TaskState | null;
}

/**
 * Writes how attempts ended, many in one statement: task and history change together, each fenced by its lease token.
 * Repeating it is harmless: an ending that is already on record (its acknowledgement was lost) is reported as such.
 *
 * A task that would wait again is cancelled instead where that was asked for since the last heartbeat, or where a newer
 * one with its unique key waits, or comes with it as its own follow-up.
 *
 * Follow-up tasks are enqueued in the same statement, so that they are there if and only if it is; where none has any, the
 * statement does not mention them.
 */
export async function finishAttempts(options: {
  db: Kysely<Database>;
  endings: readonly { task: ClaimedTask; ending: AttemptEnding }[];
}): Promise<FinishedAttempt[]> {
  try {
    return await finishBatch(options);
  } catch (error) {
    // Two with one unique key cannot both wait again; one by one, the second is seen to be superseded.
    if (!isConflict(error)) throw error;
    const finished: FinishedAttempt[] = [];
    for (const ending of options.endings) {
      finished.push(...(await repeatOnConflict(() => finishBatch({ db: options.db, endings: [ending] }))));
    }
    return finished;
  }
}

async function finishBatch(options: {
  db: Kysely<Database>;
  endings: readonly { task: ClaimedTask; ending: AttemptEnding }[];
}): Promise<FinishedAttempt[]> {
  const rows = options.endings.map(({ task, ending }) => toRow(task, ending));
  const followUps = options.endings.some(({ ending }) => ending.followUps.length > 0)
    ? enqueueFollowUps(options.endings)
    : noFollowUps;
  const result = await sql<FinishedAttempt>`
    with ${followUps.given} ended as materialized (
      select e.* from jsonb_to_recordset(${toStorableJson(rows)}::jsonb) as e (
        id bigint, token uuid, attempt smallint, owner text, started_at timestamptz, outcome text, state text,
        delay_ms float8, counted boolean, recorded boolean, reason text, error text, exit_code integer,
        output_tail text, evidence jsonb)
    ), moved as (
      update tend.tasks t
         set state = case when s.is_superseded or (e.state = 'waiting' and t.cancel_requested_at is not null)
                          then 'cancelled' else e.state end,
             attempt = case when e.counted then t.attempt else t.attempt - 1 end,
             run_at = case when e.state = 'waiting' and e.recorded then now() + e.delay_ms * interval '1 ms' else t.run_at end,
             reason = case when e.state = 'waiting' and t.cancel_requested_at is not null
                           then 'cancel was requested'
                           when s.is_superseded then 'superseded by a newer task with the same unique key'
                           else e.reason end,
             last_error = coalesce(e.error, case when e.state = 'succeeded' then null else t.last_error end),
             finished_at = case when s.is_superseded or (e.state = 'waiting' and t.cancel_requested_at is not null)
                                  or e.state in ('succeeded', 'failed', 'cancelled') then now() end,
             lease_owner = null, lease_token = null, lease_until = null
        from ended e,
             lateral (select e.state = 'waiting' and (exists (
                        select from tend.tasks mine join tend.tasks w on w.unique_key = mine.unique_key
                         where mine.id = e.id and w.state = 'waiting') ${followUps.orSupersedes}) as is_superseded) s
       where t.id = e.id and t.lease_token = e.token and t.state = 'running'
      returning t.id, e.token, t.state ${followUps.isWanted}
    ), recorded as (
      insert into tend.attempts
        (task_id, token, attempt, owner, started_at, outcome, exit_code, error, output_tail, evidence)
      select e.id, e.token, e.attempt, e.owner, e.started_at, e.outcome, e.exit_code, e.error, e.output_tail, e.evidence
        from ended e join moved m on m.token = e.token
       where e.recorded
    ) ${followUps.enqueued}
    select e.token,
           coalesce(m.state, case when exists (
             select from tend.attempts a where a.task_id = e.id and a.token = e.token and a.outcome = e.outcome)
             then e.state end) as state ${followUps.count}
      from ended e left join moved m on m.token = e.token`.execute(options.db);
  return result.rows.map(({ token, state }) => ({ token, state }));
}

/** Absent keys are null for jsonb_to_recordset: most endings say little, and there may be hundreds. */
function toRow(task: ClaimedTask, ending: AttemptEnding) {
  return {
    id: task.id,
    token: task.token,
    attempt: task.attempt,
    owner: task.owner,
    started_at: task.startedAt,
    outcome: ending.outcome,
    state: ending.state,
    delay_ms: Number.isFinite(ending.delayMs) ? Math.min(Math.max(ending.delayMs, 0), longestDelayMs) : 0,
    counted: ending.isCounted,
    recorded: ending.isRecorded,
    reason: ending.reason ?? undefined,
    error: ending.error ?? undefined,
    exit_code: ending.exitCode ?? undefined,
    output_tail: ending.outputTail ?? undefined,
    evidence: ending.evidence ?? undefined,
  };
}

const longestDelayMs = 366 * 24 * 3_600_000;

/** JSON that jsonb takes whatever a program printed: no U+0000, no lone surrogates (both are refused by the server). */
function toStorableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'string' ? inner.replaceAll('\0', '\u2400').toWellFormed() : inner,
  );
}
