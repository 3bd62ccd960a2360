import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/open-database.ts';
import { claimDueTasks } from '../../src/tasks/claim-due-tasks.ts';
import { finishAttempts } from '../../src/tasks/finish-attempts.ts';
import { workerIdentity } from '../../src/tasks/worker-identity.ts';
import { statementsDuring } from '../support/server-log.ts';
import { createQueue, ending, host, type Queue } from './support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

const inMs = (ms: number) => new Date(Date.now() + ms);

/** Several workers, each with a session of its own, that claim until nothing is left. */
async function claimAllAtOnce(
  workers: number,
  options: { count: number; each(id: number): Promise<void> },
): Promise<number[]> {
  const claimed = await Promise.all(
    Array.from({ length: workers }, async () => {
      await using db = openDatabase({ connection: queue.database.connection, applicationName: 'claimer' });
      const worker = workerIdentity(host);
      const ids: number[] = [];
      for (let empty = 0; empty < 3; ) {
        const tasks = await claimDueTasks({
          db,
          worker,
          leaseMs: 60_000,
          kinds: ['noop'],
          count: options.count,
        });
        empty = tasks.length === 0 ? empty + 1 : 0;
        for (const task of tasks) {
          ids.push(task.id);
          await options.each(task.id);
        }
        await finishAttempts({ db, endings: tasks.map((task) => ({ task, ending: ending() })) });
      }
      return ids;
    }),
  );
  return claimed.flat();
}

describe('a claim', () => {
  it('takes a task under a lease of its worker, and counts the attempt', async () => {
    const id = await queue.enqueue('noop', { payload: { a: 1 }, max_attempts: 3 });
    const [task] = await queue.claim({ leaseMs: 90_000 });
    expect(task).toMatchObject({ id, kind: 'noop', attempt: 1, maxAttempts: 3, payload: { a: 1 } });
    const row = await queue.task(id);
    expect(row).toMatchObject({ state: 'running', attempt: 1, lease_token: task?.token });
    expect(row.lease_owner).toBe(queue.worker.owner);
    expect(Number(row.lease_until) - Number(row.started_at)).toBe(90_000);
  });

  it('goes by priority, then due time, then id', async () => {
    const [early, late] = [inMs(-60_000), inMs(-30_000)];
    const last = await queue.enqueue('noop', { priority: 5, run_at: early });
    const third = await queue.enqueue('noop', { run_at: late });
    const fourth = await queue.enqueue('noop', { run_at: late });
    const second = await queue.enqueue('noop', { run_at: early });
    const first = await queue.enqueue('noop', { priority: -1, run_at: late });
    const claimed = [await queue.claim(), await queue.claim(), await queue.claim({ count: 10 })].flat();
    expect(claimed.map(({ id }) => id)).toEqual([first, second, third, fourth, last]);
  });

  it('takes no more than it was asked for', async () => {
    for (let n = 0; n < 5; n++) await queue.enqueue('noop');
    expect(await queue.claim({ count: 3 })).toHaveLength(3);
    expect(await queue.claim({ count: 3 })).toHaveLength(2);
    expect(await queue.claim({ count: 3 })).toEqual([]);
  });

  it('leaves a future task until its time has come by the clock of the database', async () => {
    const id = await queue.enqueue('noop', { run_at: inMs(3_600_000) });
    expect(await queue.claim()).toEqual([]);
    // Whatever this host believes the time to be: only the database's now() is compared.
    await queue.database.query(`update tend.tasks set run_at = now() + interval '300 ms'`);
    expect(await queue.claim()).toEqual([]);
    await queue.database.query(
      'select pg_sleep(extract(epoch from run_at - clock_timestamp())) from tend.tasks',
    );
    expect(await queue.claim()).toMatchObject([{ id }]);
  });

  it('leaves kinds it does not know where they are', async () => {
    const unknown = await queue.enqueue('stranger');
    const known = await queue.enqueue('noop');
    expect(await queue.claim({ count: 10 })).toMatchObject([{ id: known }]);
    expect(await queue.task(unknown)).toMatchObject({ state: 'waiting', attempt: 0 });
  });

  it('leaves tasks of other hosts, and takes those of its own', async () => {
    await queue.enqueue('noop', { host: 'web2' });
    const mine = await queue.enqueue('noop', { host });
    expect(await queue.claim({ count: 10 })).toMatchObject([{ id: mine }]);
  });

  it('keeps to the queues it is given', async () => {
    await queue.enqueue('noop', { queue: 'slow' });
    const fast = await queue.enqueue('noop', { queue: 'fast' });
    const { db, worker } = queue;
    const options = { db, worker, leaseMs: 60_000, kinds: ['noop'], count: 10 };
    expect(await claimDueTasks({ ...options, queues: ['fast', 'none'] })).toMatchObject([{ id: fast }]);
    expect(await claimDueTasks({ ...options, queues: [] })).toEqual([]);
  });

  it('leaves a large payload for later, and brings a small one', async () => {
    const random = Array.from({ length: 3000 }, () => Math.random().toString(36)).join('');
    await queue.enqueue('noop', { payload: { random } });
    await queue.enqueue('noop', { payload: { small: true } });
    const claimed = await queue.claim({ count: 2 });
    expect(claimed.map(({ payload }) => payload)).toEqual([null, { small: true }]);
  });

  it('passes rows that another transaction holds, without waiting', async () => {
    const locked = await queue.enqueue('noop');
    const free = await queue.enqueue('noop');
    const session = await queue.database.connect();
    await session.query('begin');
    await session.query('select from tend.tasks where id = $1 for update', [locked]);
    expect(await queue.claim({ count: 10 })).toMatchObject([{ id: free }]);
    await session.query('rollback');
    await session.end();
    expect(await queue.claim({ count: 10 })).toMatchObject([{ id: locked }]);
  });

  it('takes a row that another transaction merely refers to', async () => {
    const id = await queue.enqueue('noop');
    const session = await queue.database.connect();
    await session.query('begin');
    await session.query('select from tend.tasks where id = $1 for key share', [id]);
    expect(await queue.claim()).toMatchObject([{ id }]);
    await session.end();
  });

  it('forgets a cancel request that was meant for an earlier attempt', async () => {
    const id = await queue.enqueue('noop');
    await queue.database.query('update tend.tasks set cancel_requested_at = now()');
    await queue.claim();
    expect(await queue.task(id)).toMatchObject({ cancel_requested_at: null });
  });
});

describe('a claim from a backlog', () => {
  const limited = (maxRunning: number) =>
    `insert into tend.kinds (kind, source, max_attempts, on_lost, max_running) values ('noop', 'config', 5, 'retry', ${maxRunning})`;

  it.each<{ what: string; kind?: string; mutex?: string; prepare?: string; hostLimit?: number }>([
    { what: 'of one kind' },
    { what: 'where another kind is paused', prepare: `insert into tend.pauses values ('kind', 'other')` },
    { what: 'where another queue is paused', prepare: `insert into tend.pauses values ('queue', 'other')` },
    { what: 'of a kind with a limit', prepare: limited(50) },
    {
      what: 'of two kinds, one at its limit',
      kind: `(array['noop', 'other'])[n % 2 + 1]`,
      prepare: limited(1),
    },
    { what: 'on a host with a limit', hostLimit: 50 },
    { what: 'all with one mutex', mutex: `'m'` },
  ])(
    '$what reads about what it takes',
    async ({ kind = `'noop'`, mutex = 'null', prepare = '', hostLimit }) => {
      const { database, db, worker } = queue;
      await database.query(
        `insert into tend.tasks (kind, mutex) select ${kind}, ${mutex} from generate_series(1, 5000) n`,
      );
      await database.query(prepare);
      await database.query('analyze tend.tasks');
      await db.transaction().execute(async (trx) => {
        const kinds = ['noop', 'other'];
        const claim = { db: trx, worker, leaseMs: 60_000, kinds, count: 4, hostLimit };
        expect((await claimDueTasks(claim)).length).toBeGreaterThan(0);
        const { rows } = await sql<{ scanned: number; fetched: number }>`
        select seq_tup_read as scanned, idx_tup_fetch as fetched from pg_stat_xact_user_tables
         where schemaname = 'tend' and relname = 'tasks'`.execute(trx);
        expect(rows[0]?.scanned).toBe(0);
        expect(rows[0]?.fetched).toBeLessThan(100);
      });
    },
  );
});

describe('claims at once', () => {
  it('two runners claim every task exactly once', async () => {
    await queue.database.query(`select tend.enqueue('noop') from generate_series(1, 400)`);
    const claimed = await claimAllAtOnce(4, { count: 7, each: async () => {} });
    expect(claimed).toHaveLength(400);
    expect(new Set(claimed).size).toBe(400);
  });

  it('tasks with one mutex run one at a time, with several workers and in batches', async () => {
    await queue.database.query(
      `select tend.enqueue('noop', mutex => 'm' || n % 4) from generate_series(1, 80) n`,
    );
    const claimed = await claimAllAtOnce(4, {
      count: 10,
      each: async (id) => {
        const running = await queue.database.query(
          `select from tend.tasks r join tend.tasks t on t.mutex = r.mutex where r.state = 'running' and t.id = $1`,
          [id],
        );
        expect(running).toHaveLength(1);
      },
    });
    expect(new Set(claimed).size).toBe(80);
    expect(claimed).toHaveLength(80);
  });
});

describe('a mutex', () => {
  it('of many tasks in one batch is taken once, in one statement', async () => {
    const first = await queue.enqueue('noop', { mutex: 'm' });
    for (let n = 0; n < 5; n++) await queue.enqueue('noop', { mutex: 'm' });
    const statements = await statementsDuring(queue.database, async () => {
      await using db = await queue.database.openDatabase();
      const options = { db, worker: queue.worker, leaseMs: 60_000, kinds: ['noop'], count: 10 };
      expect(await claimDueTasks(options)).toMatchObject([{ id: first }]);
    });
    expect(statements).toHaveLength(1);
  });

  it('that is held keeps its tasks waiting, and frees them with the end of the holder', async () => {
    const first = await queue.enqueue('noop', { mutex: 'm' });
    const second = await queue.enqueue('noop', { mutex: 'm' });
    const claimed = await queue.claim({ count: 10 });
    expect(claimed).toMatchObject([{ id: first }]);
    expect(await queue.claim({ count: 10 })).toEqual([]);
    await finishAttempts({ db: queue.db, endings: claimed.map((task) => ({ task, ending: ending() })) });
    expect(await queue.claim({ count: 10 })).toMatchObject([{ id: second }]);
  });

  it('with many tasks at the head of the queue does not starve the others', async () => {
    await queue.database.query(
      `select tend.enqueue('noop', mutex => 'm', priority => -5) from generate_series(1, 50)`,
    );
    const others = [await queue.enqueue('noop'), await queue.enqueue('noop')];
    expect(await queue.claim({ count: 2 })).toHaveLength(1);
    const next = await queue.claim({ count: 2 });
    expect(next.map(({ id }) => id)).toEqual(others);
  });

  it('that another claim takes at the same moment: the loser looks again and takes something else', async () => {
    const [contested, other] = [
      await queue.enqueue('noop', { mutex: 'm', priority: -1 }),
      await queue.enqueue('noop', { mutex: 'm', priority: -2 }),
    ];
    const free = await queue.enqueue('noop');
    // A claim of somebody else that is not committed yet: not to be seen, but in the unique index.
    const session = await queue.database.connect();
    await session.query('begin');
    await session.query(
      `update tend.tasks set state = 'running', lease_owner = 'x:1:::', lease_token = gen_random_uuid(),
              lease_until = now() + interval '1 min' where id = $1`,
      [other],
    );
    const claiming = queue.claim({ count: 2 });
    await queue.untilBlocked();
    await session.query('commit');
    await session.end();
    expect(await claiming).toMatchObject([{ id: free }]);
    expect(await queue.task(contested)).toMatchObject({ state: 'waiting', attempt: 0 });
  });

  it('and another in the opposite order do not end in a deadlock', async () => {
    const a = await queue.enqueue('noop', { mutex: 'a' });
    await queue.enqueue('noop', { mutex: 'b' });
    const b = await queue.enqueue('noop', { mutex: 'b', run_at: inMs(3_600_000) });
    const session = await queue.database.connect();
    const take = `update tend.tasks set state = 'running', lease_owner = 'x:1:::', lease_token = gen_random_uuid(),
                         lease_until = now() + interval '1 min' where id = $1`;
    await session.query(`begin; set local deadlock_timeout = '10s'`);
    await session.query(take, [b]);
    const claiming = queue.claim({ count: 2 });
    await queue.untilBlocked();
    // The other session now wants what the claim may hold already.
    await session.query(`select set_config('lock_timeout', '5s', true)`);
    const taking = session.query(take, [a]).catch((error: Error) => error.message);
    await Promise.all([taking.then(() => session.query('rollback')), claiming]);
    await session.end();
    expect((await queue.claim({ count: 2 })).length + (await claiming).length).toBe(2);
  });
});
