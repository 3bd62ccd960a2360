import fc from 'fast-check';
import { expect } from 'vitest';
import { type ClaimedTask, claimDueTasks } from '../../../src/tasks/claim-due-tasks.ts';
import { claimTask } from '../../../src/tasks/claim-task.ts';
import { returnStrayClaims } from '../../../src/tasks/return-stray-claims.ts';
import { startTaskNow } from '../../../src/tasks/start-task-now.ts';
import type { WorkerIdentity } from '../../../src/tasks/worker-identity.ts';
import { fakeKinds, type Queue, succeed } from '../support/queue.ts';
import { expectedClaim, isMutexHeld } from './expected-claim.ts';
import { reap as expectedReap, returnStray } from './expected-endings.ts';
import { expireLease, takeBack } from './lease-steps.ts';
import {
  heldBy,
  isPaused,
  leaseMs,
  type ModelTask,
  newTask,
  type QueueModel,
  running,
  workerOf,
} from './queue-model.ts';
import { anyClaim, anyTask, place, type Real, refusal, Step } from './step.ts';

const kinds = ['plain', 'careful', 'locked', 'limited'];

const claimRequest = fc.record({
  worker: fc.nat(2),
  count: fc.integer({ min: 1, max: 4 }),
  startable: fc.integer({ min: 1, max: 4 }),
  hostLimit: fc.constantFrom(undefined, undefined, undefined, 1, 3),
});
type Claim = typeof claimRequest extends fc.Arbitrary<infer T> ? T : never;

/** A worker claims; with another limit on its host than before, as if its tend.toml had changed. */
export const claim = claimRequest.map(
  (given) =>
    new Step(`claim ${JSON.stringify(given)}`, ['worker'], async (model, real) => {
      await takeDue(model, real, given);
    }),
);

async function takeDue(model: QueueModel, { queue, session }: Real, given: Claim): Promise<ModelTask[]> {
  const worker = workerOf(model, given.worker);
  const expected = expectedClaim(model, { ...given, host: worker.host, kinds });
  const claimed = await claimDueTasks({ ...given, db: queue.db, worker, leaseMs, kinds });
  expect(claimed.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
  for (const [index, task] of expected.entries()) {
    const isLimited = (model.kinds.get(task.kind)?.maxRunning ?? null) !== null;
    start(model, task, claimed[index], { ofKind: isLimited, ofHost: given.hostLimit !== undefined });
  }
  const { rows } = await session.query(
    `select t.id from tend.tasks t join tend.kinds k on k.kind = t.kind
      where t.lease_token = any($1::uuid[]) and (t.limit_place not between 1 and k.max_running or t.host_place not between 1 and $2)`,
    [claimed.map(({ token }) => token), given.hostLimit],
  );
  expect(rows, 'places that are none').toEqual([]);
  return expected;
}

function start(
  model: QueueModel,
  task: ModelTask,
  claimed: ClaimedTask | undefined,
  places: { ofKind: boolean; ofHost: boolean },
): void {
  if (claimed === undefined) throw new Error('nothing was claimed');
  const { owner, token } = claimed;
  task.state = 'running';
  task.attempt += 1;
  task.lease = { owner, token, isExpired: false, until: model.clock, isCancelRequested: false, places };
  expect(claimed).toMatchObject({ attempt: task.attempt, maxAttempts: task.maxAttempts });
  model.claims.push(claimed);
}

const byHand = { ofKind: false, ofHost: false };

/** A person runs one task, due or not and above every limit. */
export const claimOne = fc.record({ at: place, worker: fc.nat(2) }).map(
  ({ at, worker }) =>
    new Step(`claim task ${at} as ${worker}`, ['worker'], async (model, { queue }) => {
      const task = anyTask(model, at, ['waiting']);
      await takeOne(model, queue, task, workerOf(model, worker));
    }),
);

async function takeOne(
  model: QueueModel,
  { db }: Queue,
  task: ModelTask | undefined,
  worker: WorkerIdentity,
): Promise<void> {
  const claiming = claimTask({ db, worker, leaseMs, kinds: [...kinds, 'now'], id: task?.id ?? 4711 });
  if (task !== undefined && mayClaim(model, task, worker)) return start(model, task, await claiming, byHand);
  expect(await refusal(claiming)).toBe(task === undefined ? 'TASK_NOT_FOUND' : 'TASK_STATE_CONFLICT');
}

function mayClaim(model: QueueModel, task: ModelTask, { host }: WorkerIdentity): boolean {
  const isHere = task.kind !== 'stranger' && (task.host === null || task.host === host);
  return task.state === 'waiting' && isHere && !isPaused(model, task) && !isMutexHeld(model, task);
}

/** A worker is cut off until its lease has expired; the task is taken back, and perhaps another one claims it. */
export const takeOver = fc.record({ at: place, worker: fc.nat(2) }).map(
  ({ at, worker }) =>
    new Step(`${worker} takes over claim ${at}`, ['worker', 'reaper'], async (model, { queue, session }) => {
      const lost = heldBy(model, anyClaim(model, at)?.token ?? '');
      if (lost === undefined) return;
      await expireLease(model, session, lost);
      await takeBack(model, queue, []);
      await takeOne(model, queue, model.tasks.get(lost.id), workerOf(model, worker));
    }),
);

/** A person types a command: a task that is running from its birth. */
export const startNow = fc.nat(2).map(
  (at) =>
    new Step(`start now as ${at}`, ['worker', 'reaper'], async (model, { queue }) => {
      const worker = workerOf(model, at);
      const kind = fakeKinds({ now: { run: succeed, mutex: 'm' } }).get('now');
      if (kind === undefined) throw new Error('no kind');
      const starting = startTaskNow({ db: queue.db, worker, kind, payload: {}, leaseMs });
      const holder = running(model).find(({ mutex }) => mutex === 'm');
      if (holder !== undefined) model.nextId += 1;
      if (holder?.lease.isExpired) expectedReap(model, []);
      if (holder !== undefined && !holder.lease?.isExpired && isMutexHeld(model, { mutex: 'm' })) {
        expect(await refusal(starting)).toBe('MUTEX_BUSY');
        return;
      }
      const id = model.nextId++;
      const task = newTask({
        id,
        kind: 'now',
        runAt: model.clock,
        maxAttempts: 1,
        mutex: 'm',
        host: worker.host,
      });
      model.tasks.set(id, task);
      start(model, task, await starting, byHand);
    }),
);

/** A claim whose answer is lost on the way: the worker gives back what it took without knowing. */
export const loseAnswer = fc
  .record({ request: claimRequest, to: fc.constantFrom('waiting', 'cancelled') })
  .map(
    ({ request, to }) =>
      new Step(
        `lose the answer of claim ${JSON.stringify({ request, to })}`,
        ['worker'],
        async (model, real) => {
          const { owner } = workerOf(model, request.worker);
          const knownTokens = running(model).map(({ lease }) => lease.token);
          const taken = await takeDue(model, real, request);
          model.claims.splice(model.claims.length - taken.length);
          expect(await returnStrayClaims({ db: real.queue.db, owner, knownTokens, to })).toBe(taken.length);
          for (const task of taken) returnStray(model, task, to);
        },
      ),
  );
