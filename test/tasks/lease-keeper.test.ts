import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import type { ConnectionSettings } from '../../src/connection/settings.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { LeaseKeeper } from '../../src/tasks/lease-keeper.ts';
import { reapLostTasks } from '../../src/tasks/reap-lost-tasks.ts';
import { renewLeases } from '../../src/tasks/renew-leases.ts';
import { AttemptStopped } from '../../src/tasks/stop-reason.ts';
import { createQueue, type Queue } from './support/queue.ts';

let queue: Queue;
let nowMs = 0;
const clock: Clock = { now: () => new Date(), monotonicMs: () => nowMs };
const leaseMs = 60_000;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => {
  await queue.clear();
  nowMs = 1_000_000;
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => void vi.useRealTimers());

/** Moves the keeper's clock on, in the steps of its timer. */
function pass(seconds: number): void {
  for (let second = 0; second < seconds; second++) {
    nowMs += 1000;
    vi.advanceTimersByTime(1000);
  }
}

function keeperOf(db = queue.db) {
  const errors: unknown[] = [];
  const keeper = new LeaseKeeper({ db, leaseMs, clock, onError: (error) => void errors.push(error) });
  return { keeper, errors };
}

/** A running task whose lease a keeper holds. */
async function held(keeper: LeaseKeeper) {
  const id = await queue.enqueue('noop');
  const [task] = await queue.claim({ leaseMs });
  const controller = new AbortController();
  const token = task?.token ?? '';
  keeper.hold({ id, token, sentAtMs: nowMs, controller });
  return { id, token, signal: controller.signal };
}

const leaseUntil = async (id: number) => Number((await queue.task(id)).lease_until);
const reasonOf = (signal: AbortSignal) => (signal.reason instanceof AttemptStopped ? signal.reason.kind : '');
const someOther = 'a0000000-0000-4000-8000-000000000000';

describe('renewLeases', () => {
  it('extends what is held, and says nothing of a token that lost its lease', async () => {
    const { keeper } = keeperOf();
    using _keeper = keeper;
    const { id, token } = await held(keeper);
    const before = await leaseUntil(id);
    const leases = [
      { id, token },
      { id, token: someOther },
      { id: 4711, token },
    ];
    expect(await renewLeases({ db: queue.db, leases, leaseMs: 120_000 })).toEqual([
      { token, isCancelRequested: false },
    ]);
    expect(await leaseUntil(id)).toBeGreaterThan(before + 50_000);
  });
});

describe('a heartbeat', () => {
  it('keeps a long task alive: at a third of the lease, again and again', async () => {
    const { keeper } = keeperOf();
    using _keeper = keeper;
    const { id, signal } = await held(keeper);
    for (let beat = 1; beat <= 4; beat++) {
      await queue.database.query(`update tend.tasks set lease_until = now() + interval '40 s'`);
      const before = await leaseUntil(id);
      pass(20);
      await expect.poll(() => leaseUntil(id)).toBeGreaterThan(before + 10_000);
      expect(await reapLostTasks({ db: queue.db, deadOwners: [] })).toEqual([]);
    }
    expect(signal.aborted).toBe(false);
  });

  it('does not come before its time', async () => {
    const { keeper } = keeperOf();
    using _keeper = keeper;
    const { id } = await held(keeper);
    const before = await leaseUntil(id);
    pass(19);
    // Statements of one session keep their order: had a renewal been sent, this would come after it.
    expect(await queue.db.selectFrom('tend.tasks').select('lease_until').executeTakeFirst()).toEqual({
      lease_until: new Date(before),
    });
  });

  it('that is missing lets the lease end, and the task is recovered', async () => {
    const { keeper } = keeperOf();
    const { id } = await held(keeper);
    keeper[Symbol.dispose]();
    pass(120);
    await queue.expire(id);
    expect(await reapLostTasks({ db: queue.db, deadOwners: [] })).toMatchObject([{ id, state: 'waiting' }]);
  });

  it('brings a cancel request', async () => {
    const { keeper } = keeperOf();
    using _keeper = keeper;
    const { id, signal } = await held(keeper);
    const other = await held(keeper);
    await queue.database.query('select tend.cancel($1)', [id]);
    pass(20);
    await expect.poll(() => signal.aborted).toBe(true);
    expect(reasonOf(signal)).toBe('cancel-requested');
    expect(other.signal.aborted).toBe(false);
  });

  it('finds out that the task was taken back, and stops that work alone', async () => {
    const { keeper } = keeperOf();
    using _keeper = keeper;
    const { id, signal } = await held(keeper);
    const other = await held(keeper);
    await queue.expire(id);
    await reapLostTasks({ db: queue.db, deadOwners: [] });
    pass(20);
    await expect.poll(() => signal.aborted).toBe(true);
    expect(reasonOf(signal)).toBe('lease-lost');
    expect(other.signal.aborted).toBe(false);
  });

  it('of a task that has ended does nothing to it', async () => {
    const { keeper } = keeperOf();
    using _keeper = keeper;
    const { token, signal } = await held(keeper);
    expect(keeper.tokens()).toEqual([token]);
    keeper.release(token);
    expect(keeper.tokens()).toEqual([]);
    await queue.database.query(`update tend.tasks set lease_token = $1`, [someOther]);
    pass(60);
    expect(signal.aborted).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a heartbeat that fails', () => {
  it('tells the task to stop before the lease ends, and not earlier than needed', async () => {
    const nowhere: ConnectionSettings['servers'] = [{ host: '/nonexistent', port: 1 }];
    const connection = { ...queue.database.connection, servers: nowhere };
    await using db = openDatabase({ connection, applicationName: 'cut off' });
    const { keeper, errors } = keeperOf(db);
    using _keeper = keeper;
    const { signal } = await held(keeper);
    pass(40);
    await expect.poll(() => errors.length).toBeGreaterThan(0);
    expect(signal.aborted).toBe(false);
    pass(15);
    expect(reasonOf(signal)).toBe('lease-lost');
  });

  it('because it hangs tells the task to stop before the lease ends', async () => {
    const { keeper } = keeperOf();
    using _keeper = keeper;
    const { id, signal } = await held(keeper);
    const session = await queue.database.connect();
    await session.query('begin');
    await session.query('select from tend.tasks where id = $1 for update', [id]);
    pass(45);
    await queue.untilBlocked();
    expect(signal.aborted).toBe(false);
    pass(10);
    expect(reasonOf(signal)).toBe('lease-lost');
    await session.query('rollback');
    await session.end();
  });

  it('and then works again in time is as if nothing had happened', async () => {
    const { keeper, errors } = keeperOf();
    using _keeper = keeper;
    const { id, signal } = await held(keeper);
    await queue.database.query('alter table tend.tasks rename to hidden');
    pass(20);
    await expect.poll(() => errors).toHaveLength(1);
    await queue.database.query('alter table tend.hidden rename to tasks');
    await queue.database.query(`update tend.tasks set lease_until = now() + interval '20 s'`);
    const before = await leaseUntil(id);
    pass(5);
    await expect.poll(() => leaseUntil(id)).toBeGreaterThan(before);
    pass(19);
    expect(signal.aborted).toBe(false);
  });
});
