import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { errorCodeOf } from '../database/translate-database-error.ts';
import { formatDuration } from '../duration.ts';
import { TendError } from '../errors.ts';
import type { ClaimedTask } from './claim-due-tasks.ts';
import { claimedColumns } from './claim-statement.ts';
import type { TaskKind } from './handlers/handler.ts';
import { reapLostTasks } from './reap-lost-tasks.ts';
import { describeOwner, isDeadHere, type WorkerIdentity } from './worker-identity.ts';

export interface StartNowOptions {
  db: Kysely<Database>;
  worker: WorkerIdentity;
  kind: TaskKind;
  payload: Record<string, unknown>;
  leaseMs: number;
}

interface Holder {
  id: number;
  kind: string;
  owner: string;
  isLost: boolean;
  forMs: number;
}

/**
 * Makes a task that its own process runs at once: a row claimed at birth, with lease, mutex and history like any
 * other. It has one attempt, since the person who typed the command sees it fail. A holder of the kind's mutex that
 * is certainly gone is reaped, as a tick would.
 *
 * @throws TendError MUTEX_BUSY naming who holds the kind's mutex.
 */
export async function startTaskNow(options: StartNowOptions): Promise<ClaimedTask> {
  const { db, kind, worker } = options;
  const born = await insertRunning(options);
  if (born !== undefined) return born;
  const holder = await findHolder(db, kind);
  const isDead = holder !== undefined && isDeadHere(holder.owner, worker);
  if (holder === undefined || holder.isLost || isDead) {
    // The holder is gone, and no tick came by yet: do what a tick would do first. A lease that had expired is judged
    // again there, since its owner may be alive elsewhere and have renewed it meanwhile.
    await reapLostTasks({ db, deadOwners: isDead ? [holder.owner] : [] });
    const second = await insertRunning(options);
    if (second !== undefined) return second;
  }
  throw mutexBusy(kind, await findHolder(db, kind));
}

/** Undefined when the mutex is held. */
async function insertRunning(options: StartNowOptions): Promise<ClaimedTask | undefined> {
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
    return undefined;
  }
}

async function findHolder(db: Kysely<Database>, kind: TaskKind): Promise<Holder | undefined> {
  const { rows } = await sql<Holder>`
    select id, kind, lease_owner as owner, lease_until < now() as "isLost",
           round(extract(epoch from now() - started_at) * 1000)::float8 as "forMs"
      from tend.tasks where state = 'running' and mutex = ${kind.policy.mutex}`.execute(db);
  return rows[0];
}

function mutexBusy(kind: TaskKind, holder: Holder | undefined): TendError {
  const who =
    holder === undefined
      ? 'another task'
      : `task ${holder.id} (${holder.kind}) on ${describeOwner(holder.owner)} since ${formatDuration(holder.forMs)}`;
  return new TendError(
    'MUTEX_BUSY',
    `"${kind.kind}" cannot start: mutex "${kind.policy.mutex}" is held by ${who}.`,
    {
      hint: holder === undefined ? 'Try again.' : `Wait for it, or: tend tasks cancel ${holder.id}`,
    },
  );
}
