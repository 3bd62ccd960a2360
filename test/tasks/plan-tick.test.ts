import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { planTick } from '../../src/tasks/plan-tick.ts';
import { workerIdentity } from '../../src/tasks/worker-identity.ts';
import { statementsDuring } from '../support/server-log.ts';
import { createQueue, type Queue } from './support/queue.ts';

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
  expect(statements.map(({ text }) => text.split(' ')[0])).toEqual(['select', 'select', 'select', 'select']);
  expect(await queue.database.query('select from tend.hosts')).toEqual([]);
});
