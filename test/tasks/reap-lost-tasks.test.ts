import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/open-database.ts';
import { finishAttempts } from '../../src/tasks/finish-attempts.ts';
import { reapLostTasks } from '../../src/tasks/reap-lost-tasks.ts';
import { renewLeases } from '../../src/tasks/renew-leases.ts';
import { createQueue, ending, otherWorker, type Queue } from './support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

const reap = async (deadOwners: string[] = []) => await reapLostTasks({ db: queue.db, deadOwners });

/** A running task whose worker has not been heard of. */
async function lost(args: Record<string, unknown> = {}) {
  const id = await queue.enqueue('noop', args);
  const [task] = await queue.claim();
  await queue.expire(id);
  if (task === undefined) throw new Error('nothing was claimed');
  return task;
}

describe('a lost task', () => {
  it('waits again, later, with the attempt counted and on record as lost', async () => {
    const { id } = await lost();
    const worker = `worker testhost:${process.pid}`;
    expect(await reap()).toEqual([
      { id, kind: 'noop', attempt: 1, owner: queue.worker.owner, state: 'waiting' },
    ]);
    const row = await queue.task(id);
    expect(row).toMatchObject({
      ...{ state: 'waiting', attempt: 1, reason: null, finished_at: null, lease_owner: null },
      last_error: `lost: ${worker} let its lease expire`,
    });
    expect(row.run_at.getTime()).toBeGreaterThan(row.created_at.getTime() + 9000);
    expect(await queue.attempts(id)).toMatchObject([
      { attempt: 1, outcome: 'lost', error: `${worker} let its lease expire`, owner: queue.worker.owner },
    ]);
  });

  it('at its last attempt has failed', async () => {
    const { id } = await lost({ max_attempts: 1 });
    expect(await reap()).toMatchObject([{ id, state: 'failed' }]);
    const row = await queue.task(id);
    expect(row).toMatchObject({ state: 'failed', reason: 'lost with no attempts left' });
    expect(row.finished_at).not.toBeNull();
  });

  it('whose kind says on_lost = hold waits for a person', async () => {
    const { id } = await lost();
    await queue.database.query(`update tend.tasks set on_lost = 'hold'`);
    expect(await reap()).toMatchObject([{ id, state: 'held' }]);
    expect((await queue.task(id)).reason).toMatch(
      /^lost: worker .* let its lease expire, and on_lost = hold$/,
    );
  });

  it('that was to be cancelled is cancelled, not retried', async () => {
    const { id } = await lost();
    await queue.database.query('select tend.cancel($1)', [id]);
    expect(await reap()).toMatchObject([{ id, state: 'cancelled' }]);
    expect(await queue.task(id)).toMatchObject({ state: 'cancelled', reason: 'cancel was requested' });
    expect(await queue.attempts(id)).toMatchObject([{ outcome: 'lost' }]);
  });

  it('gives way to a newer one with its unique key', async () => {
    const { id } = await lost({ unique_key: 'k' });
    const newer = await queue.enqueue('noop', { unique_key: 'k' });
    expect(await reap()).toMatchObject([{ id, state: 'cancelled' }]);
    expect(await queue.task(newer)).toMatchObject({ state: 'waiting' });
  });

  it('and its lost predecessor with the same unique key: one waits again', async () => {
    const ids = [(await lost({ unique_key: 'k' })).id, (await lost({ unique_key: 'k' })).id];
    const other = await lost();
    const reaped = await reap();
    expect(new Set(reaped.map(({ id }) => id))).toEqual(new Set([...ids, other.id]));
    expect(reaped.map(({ state }) => state).toSorted((a, b) => a.localeCompare(b))).toEqual([
      ...['cancelled', 'waiting', 'waiting'],
    ]);
  });

  it('meets a newer one with its unique key that comes at that very moment', async () => {
    const { id } = await lost({ unique_key: 'k' });
    const session = await queue.database.connect();
    await session.query(`begin; select tend.enqueue('noop', unique_key => 'k')`);
    const reaping = reap();
    await queue.untilBlocked();
    await session.query('commit');
    await session.end();
    expect(await reaping).toMatchObject([{ id, state: 'cancelled' }]);
  });

  it.each([
    ['a', 'b'],
    ['b', 'a'],
  ] as const)(
    'and its like, reaped with it, do not end the transaction that takes %s and then %s',
    async (...keys) => {
      await lost({ unique_key: 'a' });
      await lost({ unique_key: 'b' });
      await queue.duringEnqueues(keys, reap);
      expect(await queue.waitingKeys()).toEqual(['a', 'b']);
    },
  );

  it('frees its mutex', async () => {
    await lost({ mutex: 'm', run_at: new Date(0) });
    const next = await queue.enqueue('noop', { mutex: 'm' });
    await reap();
    expect(await queue.claim()).toMatchObject([{ id: next }]);
  });
});

describe('reaping', () => {
  it('leaves a task whose lease lasts', async () => {
    await queue.enqueue('noop');
    const [task] = await queue.claim();
    expect(await reap()).toEqual([]);
    expect(await queue.task(task?.id ?? 0)).toMatchObject({ state: 'running', lease_token: task?.token });
  });

  it('takes the tasks of an owner that is known to be dead at once, whatever its lease', async () => {
    const dead = otherWorker('testhost');
    await queue.enqueue('noop');
    await queue.enqueue('noop');
    const [gone] = await queue.claim({ worker: dead });
    await queue.claim();
    expect(await reap([dead.owner])).toMatchObject([{ id: gone?.id, state: 'waiting' }]);
    expect((await queue.attempts(gone?.id ?? 0))[0]?.error).toMatch(/ died$/);
  });

  it('that comes after a late finish leaves the finished task alone', async () => {
    const task = await lost();
    await finishAttempts({ db: queue.db, endings: [{ task, ending: ending() }] });
    expect(await reap()).toEqual([]);
    expect(await queue.task(task.id)).toMatchObject({ state: 'succeeded' });
    expect(await queue.attempts(task.id)).toMatchObject([{ outcome: 'succeeded' }]);
  });

  it('that meets a finish under way leaves that task to it', async () => {
    const task = await lost();
    const session = await queue.database.connect();
    await session.query('begin');
    await session.query(
      `update tend.tasks set state = 'succeeded', finished_at = now(), lease_owner = null, lease_token = null,
              lease_until = null where id = $1`,
      [task.id],
    );
    expect(await reap()).toEqual([]);
    await session.query('commit');
    await session.end();
    expect(await reap()).toEqual([]);
    expect(await queue.task(task.id)).toMatchObject({ state: 'succeeded' });
  });

  it('that comes after a late renewal leaves the task running', async () => {
    const { id, token } = await lost();
    await renewLeases({ db: queue.db, leases: [{ id, token }], leaseMs: 60_000 });
    expect(await reap()).toEqual([]);
  });

  it('goes on past a full batch, and past rows it must skip', async () => {
    await queue.database.query(`select tend.enqueue('noop') from generate_series(1, 350)`);
    await queue.claim({ count: 350 });
    await queue.database.query(`update tend.tasks set lease_until = now() - id * interval '1 s'`);
    const session = await queue.database.connect();
    await session.query('begin; select from tend.tasks where id > 300 for update');
    expect(await reap()).toHaveLength(300);
    await session.query('rollback');
    await session.end();
    expect(await reap()).toHaveLength(50);
    expect(await reap()).toEqual([]);
  });

  it('by several at once takes every task once', async () => {
    await queue.database.query(`select tend.enqueue('noop') from generate_series(1, 300)`);
    await queue.claim({ count: 300 });
    await queue.database.query(`update tend.tasks set lease_until = now() - interval '1 s'`);
    const reaped = await Promise.all(
      [1, 2, 3].map(async () => {
        const { connection } = queue.database;
        await using db = openDatabase({ connection, applicationName: 'reaper' });
        return await reapLostTasks({ db, deadOwners: [] });
      }),
    );
    expect(new Set(reaped.flat().map(({ id }) => id)).size).toBe(300);
    expect(reaped.flat()).toHaveLength(300);
  });
});
