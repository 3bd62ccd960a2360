import fc from 'fast-check';
import type pg from 'pg';
import { expect } from 'vitest';
import { TendError } from '../../../src/errors.ts';
import { finishAttempts } from '../../../src/tasks/finish-attempts.ts';
import { judgeAttempt } from '../../../src/tasks/judge-attempt.ts';
import { reapLostTasks } from '../../../src/tasks/reap-lost-tasks.ts';
import { renewLeases } from '../../../src/tasks/renew-leases.ts';
import { workerIdentity } from '../../../src/tasks/worker-identity.ts';
import { defaultPolicy, type Queue } from '../support/queue.ts';
import { finish as expectedFinish, reap as expectedReap } from './expected-endings.ts';
import { type Held, heldBy, leaseMs, type QueueModel, workerOf } from './queue-model.ts';
import { anyClaim, place, Step } from './step.ts';

const endings = fc.constantFrom(
  { result: { outcome: 'succeeded' } } as const,
  { result: { outcome: 'unknown', reason: 'no reply' } } as const,
  { result: { outcome: 'postponed', delayMs: 1, reason: 'not yet' } } as const,
  { thrown: new Error('no luck') },
  { thrown: new TendError('INPUT_INVALID', 'never', { isPermanent: true }) },
);
const stops = fc.constantFrom(
  undefined,
  undefined,
  'worker-stopping',
  'cancel-requested',
  'timed-out',
  'lease-lost',
);

/** A worker finishes what it claimed, or what it held once. */
export const finish = fc.record({ at: place, ended: endings, stop: stops, isStarted: fc.boolean() }).map(
  ({ at, ended, stop, isStarted }) =>
    new Step(
      `finish claim ${at} ${JSON.stringify({ ended, stop, isStarted })}`,
      ['worker'],
      async (model, { queue }) => {
        const task = anyClaim(model, at);
        if (task === undefined) return;
        const verdict = judgeAttempt({
          ...{ ended, stop, attempt: task.attempt, maxAttempts: task.maxAttempts, policy: defaultPolicy },
          ...{
            onStop: 'release',
            random: 0.5,
            outputTail: null,
            redact: (text: string) => text,
            followUps: [],
          },
        });
        const isRecorded = isStarted || verdict.outcome !== 'released';
        // What was never started goes back as it was.
        const ending = { ...verdict, isRecorded, delayMs: isRecorded ? 3_600_000 : 0 };
        const finished = await finishAttempts({ db: queue.db, endings: [{ task, ending }] });
        expect(finished).toEqual([{ token: task.token, state: expectedFinish(model, task.token, ending) }]);
      },
    ),
);

export const beat = place.map(
  (at) =>
    new Step(`beat of claim ${at}`, [], async (model, { queue }) => {
      const task = anyClaim(model, at);
      if (task === undefined) return;
      const held = heldBy(model, task.token);
      const renewed = await renewLeases({ db: queue.db, leases: [task], leaseMs });
      expect(renewed).toEqual(
        held === undefined ? [] : [{ token: task.token, isCancelRequested: held.lease.isCancelRequested }],
      );
      if (held !== undefined) Object.assign(held.lease, { isExpired: false, until: model.clock });
    }),
);

/** No beat came in time. */
export const expire = place.map(
  (at) =>
    new Step(`lease of claim ${at} expires`, [], async (model, { session }) => {
      const held = heldBy(model, anyClaim(model, at)?.token ?? '');
      if (held !== undefined) await expireLease(model, session, held);
    }),
);

/** Those that expired first end first. */
export async function expireLease(model: QueueModel, session: pg.Client, held: Held): Promise<void> {
  const sql = `update tend.tasks set lease_until = '2026-01-01'::timestamptz + $2 * interval '1 s' where id = $1`;
  await session.query(sql, [held.id, model.clock]);
  Object.assign(held.lease, { isExpired: true, until: model.clock - 1_000_000 });
}

/** A tick takes back what is lost; perhaps a worker has died before, and another comes in its place. */
export const reap = fc.constantFrom(undefined, undefined, 0, 1, 2).map(
  (dead) =>
    new Step(dead === undefined ? 'reap' : `worker ${dead} dies`, ['reaper'], async (model, { queue }) => {
      await takeBack(model, queue, dead === undefined ? [] : [workerOf(model, dead).owner]);
      if (dead !== undefined) model.workers[dead] = workerIdentity(workerOf(model, dead).host);
    }),
);

export async function takeBack(model: QueueModel, { db }: Queue, deadOwners: string[]): Promise<void> {
  const reaped = await reapLostTasks({ db, deadOwners });
  const expected = expectedReap(model, deadOwners);
  expect(reaped.map(({ id, state }) => ({ id, state })).toSorted(byId)).toEqual(expected.toSorted(byId));
}

const byId = (left: { id: number }, right: { id: number }) => left.id - right.id;
