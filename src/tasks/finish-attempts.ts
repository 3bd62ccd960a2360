import { type Kysely, sql } from 'kysely';
import { repeatOnConflict } from '../database/repeat-on-conflict.ts';
import type { AttemptOutcome, Database } from '../database/tables.ts';
import type { CheckedFollowUp } from './check-follow-up.ts';
import type { ClaimedTask } from './claim-due-tasks.ts';
import { enqueueFollowUps, noFollowUps } from './enqueue-follow-ups.ts';
import type { Halt } from './handlers/handler.ts';
import { noNotes, noteOutcomes } from './note-outcomes.ts';
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
  /** What else of its kind must wait, and why. */
  halt?: Halt | undefined;
}

export interface FinishedAttempt {
  token: string;
  /** Where the task is now; null when the lease was lost and somebody else decides about it. */
  state: TaskState | null;
}

export interface FinishOptions {
  db: Kysely<Database>;
  endings: readonly { task: ClaimedTask; ending: AttemptEnding }[];
  /** Kinds whose success may be a recovery; none where it is not given. */
  brokenKinds?: ReadonlySet<string> | undefined;
}

/**
 * Writes how attempts ended, many in one statement: task and history change together, each fenced by its lease token.
 * Those that take a unique key have a statement each.
 * Repeating it is harmless: an ending that is already on record (its acknowledgement was lost) is reported as such, also
 * where the statement of a session that was cut off was still on its way to its commit.
 *
 * A task that would wait again is cancelled instead where that was asked for since the last heartbeat, or where a newer
 * one with its unique key waits, or comes with it as its own follow-up.
 *
 * Whoever has a lease token is running (a CHECK says so). To ask for the state as well would lead the planner to the index
 * of running tasks, and through all of them for every ending.
 *
 * Follow-up tasks are enqueued in the same statement, so that they are there if and only if it is; where none has any, the
 * statement does not mention them. The same goes for alerts: what fails is noted, and what succeeds where its kind is
 * known to be broken.
 */
export async function finishAttempts(options: FinishOptions): Promise<FinishedAttempt[]> {
  const { endings } = options;
  const contested = endings.filter(isContested);
  const together = endings.filter((ending) => !contested.includes(ending));
  const finished = together.length === 0 ? [] : await finishOrLookAgain({ ...options, endings: together });
  for (const ending of contested) {
    // Whoever was first with the key is seen the next time.
    finished.push(...(await repeatOnConflict(() => finishOrLookAgain({ ...options, endings: [ending] }))));
  }
  return finished;
}

/**
 * Whether an ending takes a unique key for a waiting task, and so may wait for an application that holds it. Such an
 * ending has a statement of its own: one that held a second key meanwhile could wait in a circle with that application,
 * and the server might end the application's transaction for it.
 */
function isContested({ task, ending }: FinishOptions['endings'][number]): boolean {
  const { state, followUps } = ending;
  return (task.isKeyed && state === 'waiting') || followUps.some(({ uniqueKey }) => uniqueKey !== undefined);
}

/**
 * A statement that waited for a row sees the row as it is now, but the history as it was before: whether the attempt
 * that somebody else has ended was this one, only the next statement can say.
 */
async function finishOrLookAgain(options: FinishOptions): Promise<FinishedAttempt[]> {
  const finished = await finishBatch(options);
  const lost = new Set(finished.filter(({ state }) => state === null).map(({ token }) => token));
  if (lost.size === 0) return finished;
  const endings = options.endings.filter(({ task }) => lost.has(task.token));
  const again = await finishBatch({ ...options, endings });
  return [...finished.filter(({ token }) => !lost.has(token)), ...again];
}

async function finishBatch(options: FinishOptions): Promise<FinishedAttempt[]> {
  const { ids, tokens, owners, details } = toColumns(options.endings);
  const followUps = options.endings.some(({ ending }) => ending.followUps.length > 0)
    ? enqueueFollowUps(options.endings)
    : noFollowUps;
  const notes = isWorthNoting(options) ? noteOutcomes : noNotes;
  const result = await sql<FinishedAttempt>`
    with ${followUps.given} ended as materialized (
      select e.id, e.token, e.owner, coalesce(d.outcome, 'succeeded') as outcome,
             coalesce(d.state, 'succeeded') as state, coalesce(d.delay_ms, 0) as delay_ms,
             coalesce(d.counted, true) as counted, coalesce(d.recorded, true) as recorded,
             d.reason, d.error, d.exit_code, d.output_tail, d.evidence
        from unnest(${ids}::bigint[], ${tokens}::uuid[], ${owners}::text[]) as e (id, token, owner)
        left join jsonb_to_recordset(${details}::jsonb) as d (
               token uuid, outcome text, state text, delay_ms float8, counted boolean, recorded boolean, reason text,
               error text, exit_code integer, output_tail text, evidence jsonb) on d.token = e.token
    ), moved as (
      update tend.tasks t
         set state = case when s.is_superseded or (e.state = 'waiting' and t.cancel_requested_at is not null)
                          then 'cancelled' else e.state end,
             attempt = case when e.counted then t.attempt else t.attempt - 1 end,
             run_at = case when e.state = 'waiting' and (e.recorded or e.delay_ms > 0) then now() + e.delay_ms * interval '1 ms' else t.run_at end,
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
       where t.id = e.id and t.lease_token = e.token
      returning t.id, e.token, t.state, t.started_at,
                case when e.counted then t.attempt else t.attempt + 1 end as attempt ${followUps.isWanted} ${notes.columns}
    ), recorded as (
      insert into tend.attempts
        (task_id, token, attempt, owner, started_at, outcome, exit_code, error, output_tail, evidence)
      select e.id, e.token, m.attempt, e.owner, m.started_at, e.outcome, e.exit_code, e.error, e.output_tail, e.evidence
        from ended e join moved m on m.token = e.token
       where e.recorded
    ) ${followUps.enqueued} ${notes.noted}
    select e.token,
           coalesce(m.state, case when exists (
             select from tend.attempts a where a.task_id = e.id and a.token = e.token and a.outcome = e.outcome)
             then e.state end) as state ${followUps.count}
      from ended e left join moved m on m.token = e.token`.execute(options.db);
  return result.rows.map(({ token, state }) => ({ token, state }));
}

function isWorthNoting({ endings, brokenKinds }: FinishOptions): boolean {
  return endings.some(
    ({ task, ending: { state } }) =>
      state === 'failed' ||
      state === 'held' ||
      (state === 'succeeded' && brokenKinds?.has(task.kind) === true),
  );
}

/**
 * Most endings say no more than "succeeded": those go as bare columns, which cost a third less than JSON to send and to
 * read, and there may be hundreds. The others say what else they have to say in `details`, where an absent key is null.
 */
function toColumns(endings: readonly { task: ClaimedTask; ending: AttemptEnding }[]) {
  const details = endings.filter(({ ending }) => !isPlainSuccess(ending)).map(toDetails);
  return {
    ids: endings.map(({ task }) => task.id),
    tokens: endings.map(({ task }) => task.token),
    owners: endings.map(({ task }) => task.owner),
    details: toStorableJson(details),
  };
}

function isPlainSuccess(ending: AttemptEnding): boolean {
  const { outcome, state, isCounted, isRecorded, reason, error, exitCode, outputTail, evidence } = ending;
  const isSuccess = outcome === 'succeeded' && state === 'succeeded' && isCounted && isRecorded;
  return isSuccess && [reason, error, exitCode, outputTail, evidence].every((value) => value === null);
}

function toDetails({ task, ending }: { task: ClaimedTask; ending: AttemptEnding }) {
  return {
    token: task.token,
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
