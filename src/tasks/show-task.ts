import type { Kysely, Selectable } from 'kysely';
import type { Database, TasksTable } from '../database/tables.ts';
import { TendError } from '../errors.ts';
import type { TaskState } from './states.ts';
import { type AttemptSummary, type TaskSummary, toAttemptSummary, toTaskSummary } from './task-row.ts';
import { describeOwner } from './worker-identity.ts';

export interface ShownTask extends TaskSummary {
  payload: Record<string, unknown>;
  /** Every try, oldest first; the last one may be running. */
  attempts: AttemptSummary[];
  /** What its attempts enqueued, in order; `enqueuedBy` is the other direction. */
  enqueued: EnqueuedTask[];
  /** The tasks for every host that it is one of, itself included, as far as they are kept; none where it stands alone. */
  siblings: Sibling[];
}

export interface EnqueuedTask {
  id: number;
  kind: string;
  state: TaskState;
}

export interface Sibling {
  id: number;
  host: string | null;
  state: TaskState;
}

/**
 * One task with its payload, the history of its attempts, and what they enqueued.
 *
 * @throws TendError TASK_NOT_FOUND.
 */
export async function showTask(options: { db: Kysely<Database>; id: number }): Promise<ShownTask> {
  const { db, id } = options;
  const row = await db.selectFrom('tend.tasks').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw taskNotFound(id);
  const ended = await db
    .selectFrom('tend.attempts')
    .selectAll()
    .where('task_id', '=', id)
    .orderBy('started_at')
    .orderBy('finished_at')
    .execute();
  const attempts = ended.map(toAttemptSummary);
  if (row.state === 'running' && row.lease_owner !== null && row.started_at !== null) {
    attempts.push({
      attempt: row.attempt,
      worker: describeOwner(row.lease_owner),
      startedAt: row.started_at,
      outcome: 'running',
      ...{ finishedAt: null, exitCode: null, error: null, outputTail: null, evidence: null },
    });
  }
  const enqueued = await db
    .selectFrom('tend.tasks')
    .select(['id', 'kind', 'state'])
    .where('enqueued_by', '=', id)
    .orderBy('id')
    .execute();
  const siblings = await findSiblings(db, row);
  return { ...toTaskSummary(row), payload: row.payload, attempts, enqueued, siblings };
}

/** Enqueued by one call, or the same occurrence of a schedule. */
async function findSiblings(
  db: Kysely<Database>,
  task: Pick<Selectable<TasksTable>, 'fan_out' | 'schedule' | 'slot_at'>,
): Promise<Sibling[]> {
  const { fan_out: fanOut, schedule, slot_at: slotAt } = task;
  if (fanOut === null && slotAt === null) return [];
  const siblings = await db
    .selectFrom('tend.tasks')
    .select(['id', 'host', 'state'])
    .where((eb) =>
      fanOut === null
        ? eb.and([eb('schedule', '=', schedule), eb('slot_at', '=', slotAt)])
        : eb('fan_out', '=', fanOut),
    )
    .orderBy('host')
    .orderBy('id')
    .execute();
  return siblings.length > 1 ? siblings : [];
}

export function taskNotFound(id: number): TendError {
  return new TendError('TASK_NOT_FOUND', `There is no task ${id}.`, {
    hint: 'tend tasks --all',
    isPermanent: true,
  });
}
