import { type Kysely, sql } from 'kysely';
import type { Database } from '../../../src/database/tables.ts';
import { TendError } from '../../../src/errors.ts';
import { cancelTask, retryTask } from '../../../src/tasks/change-task.ts';
import { type ClaimedTask, claimDueTasks } from '../../../src/tasks/claim-due-tasks.ts';
import { claimTask } from '../../../src/tasks/claim-task.ts';
import { enqueueTask } from '../../../src/tasks/enqueue-task.ts';
import { type AttemptEnding, finishAttempts } from '../../../src/tasks/finish-attempts.ts';
import { pauseTasks, resumeTasks } from '../../../src/tasks/pause-tasks.ts';
import { reapLostTasks } from '../../../src/tasks/reap-lost-tasks.ts';
import { renewLeases } from '../../../src/tasks/renew-leases.ts';
import { resolveTask } from '../../../src/tasks/resolve-task.ts';
import { workerIdentity } from '../../../src/tasks/worker-identity.ts';
import { ending } from '../support/queue.ts';

/** What several actors did at once, as far as they know it themselves. */
export interface Journal {
  enqueued: Set<number>;
  /** Every answer to a finish that was taken: which ending of which claim. */
  finished: { token: string; ending: AttemptEnding }[];
}

/** Takes one step, told which of the many there are. */
export type Actor = (choice: number) => Promise<void>;

const kinds = ['plain', 'careful', 'locked', 'limited'];
const pick = <T>(list: readonly [T, ...T[]], choice: number): T => list[choice % list.length] ?? list[0];

/** An application: for any host or every one, with keys and mutexes that meet those of others. */
export function application(db: Kysely<Database>, journal: Journal): Actor {
  return async (choice) => {
    const id = await enqueueTask({
      ...{ db, payload: {}, kind: pick(['plain', 'careful', 'locked', 'limited'], choice) },
      uniqueKey: pick([undefined, 'a', 'b'], choice >> 2),
      mutex: pick([undefined, undefined, 'm'], choice >> 4),
      host: pick([undefined, undefined, 'web1', '*'], choice >> 6),
      maxAttempts: pick([undefined, 1, 3], choice >> 8),
    });
    journal.enqueued.add(id);
  };
}

/** How an attempt may end, by the rules of `judgeAttempt`. */
function endingOf({ attempt, maxAttempts }: ClaimedTask, choice: number): AttemptEnding {
  const mayRetry = attempt < maxAttempts;
  return pick(
    [
      ending(),
      ending({
        outcome: 'failed',
        state: mayRetry ? 'waiting' : 'failed',
        error: 'no luck',
        reason: 'no luck',
      }),
      ending({ outcome: 'unknown', state: 'held', reason: 'outcome unknown' }),
      ending({ outcome: 'released', state: 'waiting', isCounted: false, isRecorded: false }),
      ending({ outcome: 'postponed', state: 'waiting', isCounted: false, reason: 'not yet' }),
    ],
    choice,
  );
}

/** A worker: claims, beats, finishes what it holds and, as one that was cut off, what it held. */
export function worker(
  db: Kysely<Database>,
  journal: Journal,
  given: { host: string; hostLimit?: number },
): Actor {
  const claimed: ClaimedTask[] = [];
  const self = workerIdentity(given.host);
  const claim = { db, worker: self, leaseMs: 60_000, kinds, hostLimit: given.hostLimit };
  return async (choice) => {
    const task = claimed[choice % Math.max(claimed.length, 1)];
    const what = (choice >> 6) % 8;
    if (what < 3 || task === undefined) {
      claimed.push(
        ...(await claimDueTasks({ ...claim, count: 1 + (choice % 4), startable: 1 + (choice % 2) })),
      );
    } else if (what === 3) {
      const id = 1 + (choice % Math.max(journal.enqueued.size, 1));
      claimed.push(await claimTask({ ...claim, id }));
    } else if (what === 4) {
      await renewLeases({ db, leases: [task], leaseMs: 60_000 });
    } else {
      // Two in one statement, as the writer does, when it holds two; the lease of either may be lost.
      const batch = [task, ...claimed.slice(0, 1).filter((first) => first !== task)].map((one, index) => ({
        ...{ task: one, ending: endingOf(one, (choice >> 3) + index) },
      }));
      for (const { token, state } of await finishAttempts({ db, endings: batch })) {
        const written = batch.find(({ task: one }) => one.token === token);
        if (state !== null && written !== undefined) journal.finished.push({ token, ending: written.ending });
      }
    }
  };
}

export function reaper(db: Kysely<Database>): Actor {
  return async () => void (await reapLostTasks({ db, deadOwners: [] }));
}

/** A person, who looks at any task and decides what comes to mind. */
export function person(db: Kysely<Database>, journal: Journal): Actor {
  return async (choice) => {
    const id = 1 + (choice % Math.max(journal.enqueued.size, 1));
    const what = (choice >> 6) % 8;
    const paused = [{ scope: 'kind', name: 'plain' } as const];
    if (what < 2) await cancelTask({ db, id });
    else if (what < 4) await retryTask({ db, id });
    else if (what < 6)
      await resolveTask({
        db,
        id,
        decision: pick(['retry', 'retry', 'done', 'drop'], choice),
        decidedBy: 'ann',
      });
    else if (what === 6) await pauseTasks({ db, paused, reason: undefined, by: 'ann' });
    else await resumeTasks({ db, paused });
  };
}

/** Time: a lease ends without a beat, and what was to wait is due. */
export function time(db: Kysely<Database>): Actor {
  return async (choice) => {
    if (choice % 2 === 0) {
      await sql`update tend.tasks set lease_until = now() - interval '1 s' where id in (
        select id from tend.tasks where state = 'running' order by id offset ${choice % 4} limit 1 for update skip locked)`.execute(
        db,
      );
    } else {
      await sql`update tend.tasks set run_at = now() where id in (
        select id from tend.tasks where state = 'waiting' and run_at > now() for update skip locked)`.execute(
        db,
      );
    }
  };
}

const refusals = new Set(['TASK_STATE_CONFLICT', 'TASK_NOT_FOUND']);

/** What the state machine refuses is no failure of an actor. */
export async function act(actor: Actor, choice: number): Promise<void> {
  try {
    await actor(choice);
  } catch (error) {
    if (!(error instanceof TendError) || !refusals.has(error.code)) throw error;
  }
}
