import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { pauseTasks } from '../../src/tasks/pause-tasks.ts';
import { planTick } from '../../src/tasks/plan-tick.ts';
import { workerIdentity } from '../../src/tasks/worker-identity.ts';
import { statementsDuring } from '../support/server-log.ts';
import { createQueue, type Queue, succeed } from './support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

async function plan(given: Partial<Parameters<typeof planTick>[0]> = {}) {
  return await planTick({
    db: queue.db,
    worker: queue.worker,
    kinds: ['noop', 'other'],
    limit: 100,
    ...given,
  });
}

it('shows what is due in claim order, and why something would not run', async () => {
  await queue.enqueue('noop', { mutex: 'db', priority: -9 });
  await queue.claim();
  const expected = [
    [await queue.enqueue('noop', { priority: -5 }), null],
    [await queue.enqueue('noop', { priority: -4, mutex: 'db' }), 'mutex'],
    [await queue.enqueue('stranger', { priority: -3 }), 'unknown kind'],
    [await queue.enqueue('noop', { priority: -2, host: 'web2' }), 'other host'],
    [await queue.enqueue('other', { priority: -1 }), 'filtered out'],
    [await queue.enqueue('noop', { queue: 'slow' }), 'filtered out'],
    [await queue.enqueue('noop', { priority: 1, host: 'testhost' }), null],
  ];
  await queue.enqueue('noop', { run_at: new Date(Date.now() + 3_600_000) });
  const { due } = await plan({ onlyKinds: ['noop'], onlyQueues: ['default'] });
  expect(due.map(({ id, blockedBy }) => [id, blockedBy])).toEqual(expected);
});

it('says "paused" and with which command it goes on', async () => {
  const pause = { db: queue.db, reason: undefined, by: 'ann' };
  await pauseTasks({ ...pause, paused: [{ scope: 'kind', name: 'other' }] });
  await pauseTasks({ ...pause, paused: [{ scope: 'queue', name: 'bulk mail' }] });
  await queue.enqueue('other');
  await queue.enqueue('noop', { queue: 'bulk mail' });
  await queue.enqueue('noop');
  const { due } = await plan();
  expect(due.map(({ blockedBy, resumedBy }) => [blockedBy, resumedBy])).toEqual([
    ['paused', 'tend tasks resume --kind other'],
    ['paused', "tend tasks resume --queue 'bulk mail'"],
    [null, null],
  ]);
});

it('says "limit" for a kind that has reached its own, and for all on a host that has', async () => {
  await queue.tick({ noop: { run: succeed, maxRunning: 1 } });
  await queue.enqueue('noop');
  await queue.claim();
  await queue.enqueue('noop');
  await queue.enqueue('other');
  const blocked = async (hostLimit?: number) =>
    (await plan({ hostLimit })).due.map(({ blockedBy }) => blockedBy);
  expect(await blocked()).toEqual(['limit', null]);
  expect(await blocked(2)).toEqual(['limit', null]);
  expect(await blocked(1)).toEqual(['limit', 'limit']);
  expect((await plan({ hostLimit: 1, worker: workerIdentity('web2') })).due.at(-1)?.blockedBy).toBeNull();
});

it('shows whose tasks it would take back', async () => {
  const id = await queue.enqueue('noop');
  await queue.claim({ worker: workerIdentity('web2') });
  expect((await plan()).wouldReap).toEqual([]);
  await queue.expire(id);
  expect((await plan()).wouldReap).toMatchObject([{ id, kind: 'noop' }]);
});

it('changes nothing: it only reads', async () => {
  await queue.enqueue('noop');
  const statements = await statementsDuring(queue.database, async () => {
    await using db = await queue.database.openDatabase();
    await plan({ db });
  });
  expect(new Set(statements.map(({ text }) => text.split(' ')[0]))).toEqual(new Set(['select']));
  expect(await queue.database.query('select from tend.hosts')).toEqual([]);
});
