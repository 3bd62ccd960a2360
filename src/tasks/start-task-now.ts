import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { errorCodeOf } from '../database/translate-database-error.ts';
import { formatDuration } from '../duration.ts';
import { TendError } from '../errors.ts';
import { type ClaimedTask, claimedColumns } from './claim-due-tasks.ts';
import type { TaskKind } from './handlers/handler.ts';
import { describeOwner, type WorkerIdentity } from './worker-identity.ts';

/**
 * Makes a task that its own process runs at once: a row claimed at birth, with lease, mutex and history like any
 * other. It has one attempt, since the person who typed the command sees it fail.
 *
 * @throws TendError MUTEX_BUSY naming who holds the kind's mutex.
 */
export async function startTaskNow(options: {
  db: Kysely<Database>;
  worker: WorkerIdentity;
  kind: TaskKind;
  payload: Record<string, unknown>;
  leaseMs: number;
}): Promise<ClaimedTask> {
  const { db, worker, kind, payload, leaseMs } = options;
  try {
    const { rows } = await sql<ClaimedTask>`
      with born as (
        insert into tend.tasks (kind, payload, state, attempt, max_attempts, on_lost, mutex, host, started_at,
                                lease_owner, lease_token, lease_until)
        values (${kind.kind}, ${JSON.stringify(payload)}::jsonb, 'running', 1, 1, ${kind.policy.onLost},
                ${kind.policy.mutex}, ${worker.host}, now(), ${worker.owner}, gen_random_uuid(),
                now() + ${leaseMs}::float8 * interval '1 ms')
        returning *
      )
      select ${claimedColumns} from born t`.execute(db);
    const task = rows[0];
    if (task === undefined) throw new TendError('BUG', 'A new task was not returned by the database.');
    return task;
  } catch (error) {
    if (errorCodeOf(error) !== '23505') throw error;
    throw await mutexBusy(db, kind, error);
  }
}

async function mutexBusy(db: Kysely<Database>, kind: TaskKind, cause: unknown): Promise<TendError> {
  const { rows } = await sql<{ id: number; kind: string; owner: string; for_ms: number }>`
    select id, kind, lease_owner as owner, extract(epoch from now() - started_at)::float8 * 1000 as for_ms
      from tend.tasks where state = 'running' and mutex = ${kind.policy.mutex}`.execute(db);
  const holder = rows[0];
  const who =
    holder === undefined
      ? 'another task'
      : `task ${holder.id} (${holder.kind}) on ${describeOwner(holder.owner)} since ${formatDuration(holder.for_ms)}`;
  return new TendError(
    'MUTEX_BUSY',
    `"${kind.kind}" cannot start: mutex "${kind.policy.mutex}" is held by ${who}.`,
    {
      cause,
      hint: holder === undefined ? 'Try again.' : `Wait for it, or: tend tasks cancel ${holder.id}`,
    },
  );
}
