import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/open-database.ts';
import type { Database } from '../../src/database/tables.ts';
import { toError } from '../../src/errors.ts';
import { progressToLog, silentLog } from '../../src/log.ts';
import { claimDueTasks } from '../../src/tasks/claim-due-tasks.ts';
import { runTaskNow } from '../../src/tasks/run-task-now.ts';
import { workOff } from '../../src/tasks/work-off.ts';
import { workerIdentity } from '../../src/tasks/worker-identity.ts';
import { startCluster } from '../support/cluster.ts';
import { type Cut, type DatabaseProxy, startDatabaseProxy } from '../support/database-proxy.ts';
import { testRun } from '../support/test-run.ts';
import {
  createQueue,
  fakeKinds,
  type Handler,
  handlerContext,
  host,
  type Queue,
  succeed,
} from './support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

/** The queue as seen through a network that breaks. */
async function behindProxy<T>(use: (proxy: DatabaseProxy, db: Kysely<Database>) => Promise<T>): Promise<T> {
  await using proxy = await startDatabaseProxy(queue.database.connection);
  await using db = openDatabase({ connection: proxy.connection, applicationName: 'behind a proxy' });
  return await use(proxy, db);
}

/** Text that stands in one kind of statement only. */
const statements = {
  claim: 'for no key update of t skip locked',
  finish: 'jsonb_to_recordset',
  renewal: 'from unnest',
};

/** Ends the product's session from outside, as an administrator or a failover would; tells how many there were. */
async function terminateSession(name = 'queue under test'): Promise<number> {
  const ended = await queue.database.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and datname = current_database()',
    [name],
  );
  return ended.length;
}

async function historyOf(ids: readonly number[]): Promise<{ states: string[]; outcomes: string[] }> {
  const tasks = await Promise.all(
    ids.map(
      async (id) => (await queue.database.query(`select state from tend.tasks where id = $1`, [id]))[0],
    ),
  );
  const attempts = await queue.database.query<{ outcome: string }>('select outcome from tend.attempts');
  return {
    states: tasks.map((row) => String(row?.['state'])),
    outcomes: attempts.map(({ outcome }) => outcome),
  };
}

const repeated = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

/** As node-postgres tells of a session that was ended. */
const connectionLost = () => Object.assign(new Error('terminating connection'), { code: '57P01' });

describe('a lane whose claim was lost', () => {
  it('does not take what another lane is claiming meanwhile for its own', async () => {
    const ids = [await queue.enqueue('noop'), await queue.enqueue('noop')];
    const runs: number[] = [];
    const handler: Handler = async (task) => {
      runs.push(task.id);
      return await succeed(task);
    };
    const { db, worker } = queue;
    const wanted = { worker, leaseMs: 60_000, kinds: ['noop'], count: 2 };
    let isFirst = true;
    let hasClaimed = false;
    const report = await workOff({
      ...{ worker, context: queue.context(), kinds: fakeKinds({ noop: handler }) },
      ...{ leaseMs: 60_000, graceMs: 1000, limit: 100, log: silentLog, signal: new AbortController().signal },
      mayClaim: () => true,
      lanes: [
        {
          concurrency: 2,
          // It has the one session when the other lane, after a tenth of a second, asks for what it lost.
          async claim() {
            if (hasClaimed) return [];
            hasClaimed = true;
            return await db.transaction().execute(async (transaction) => {
              await sql`select pg_sleep(0.4)`.execute(transaction);
              return await claimDueTasks({ ...wanted, db: transaction });
            });
          },
        },
        {
          concurrency: 2,
          async claim() {
            if (isFirst) {
              isFirst = false;
              throw connectionLost();
            }
            return [];
          },
        },
      ],
    });
    expect(report).toMatchObject({ succeeded: 2, lost: 0, released: 0 });
    expect(runs.toSorted((a, b) => a - b)).toEqual(ids);
    expect(await historyOf(ids)).toEqual({
      states: repeated(2, 'succeeded'),
      outcomes: repeated(2, 'succeeded'),
    });
  });
});

describe.each<Cut>(['before', 'after'])(
  'a connection that breaks %s the server did what it was told',
  (where) => {
    it('in a claim: every task runs once', async () => {
      const ids = [await queue.enqueue('noop'), await queue.enqueue('noop'), await queue.enqueue('noop')];
      const runs: number[] = [];
      const handler: Handler = async (task) => {
        runs.push(task.id);
        return await succeed(task);
      };
      const report = await behindProxy(async (proxy, db) => {
        proxy.cut(where, statements.claim);
        const done = await queue.tick({ noop: handler }, { context: queue.context({ db }) });
        expect(proxy.cuts).toBe(1);
        return done;
      });
      expect(report.succeeded).toBe(3);
      expect(new Set(runs)).toEqual(new Set(ids));
      expect(await historyOf(ids)).toEqual({
        states: repeated(3, 'succeeded'),
        outcomes: repeated(3, 'succeeded'),
      });
      expect((await queue.task(ids[0] ?? 0)).attempt).toBe(1);
    });

    it('in a finish: nothing is lost, and nothing is finished twice', async () => {
      const ids = [await queue.enqueue('noop'), await queue.enqueue('noop')];
      let runs = 0;
      const handler: Handler = async (task) => {
        runs += 1;
        return await succeed(task);
      };
      const report = await behindProxy(async (proxy, db) => {
        // The first statement of a tick registers its kinds in the same way.
        await queue.tick({ noop: handler }, { context: queue.context({ db }), onlyKinds: [] });
        proxy.cut(where, statements.finish);
        return await queue.tick({ noop: handler }, { context: queue.context({ db }) });
      });
      expect(report).toMatchObject({ succeeded: 2, unwritten: 0, lost: 0 });
      expect(runs).toBe(2);
      expect(await historyOf(ids)).toEqual({
        states: repeated(2, 'succeeded'),
        outcomes: repeated(2, 'succeeded'),
      });
    });

    it('in giving back what was claimed and not started: nothing is called lost', async () => {
      const ids = [await queue.enqueue('noop'), await queue.enqueue('noop'), await queue.enqueue('noop')];
      const stop = new AbortController();
      const report = await behindProxy(async (proxy, db) => {
        const handler: Handler = async (task) => {
          proxy.cut(where, statements.finish);
          stop.abort();
          return await succeed(task);
        };
        const { worker } = queue;
        const claim = { db, worker, leaseMs: 60_000, kinds: ['noop'], count: 3 };
        const done = await workOff({
          ...{ worker, context: queue.context({ db }), kinds: fakeKinds({ noop: handler }) },
          ...{ leaseMs: 60_000, graceMs: 1000, limit: 100, log: silentLog, signal: stop.signal },
          mayClaim: () => true,
          lanes: [{ concurrency: 1, claim: async () => await claimDueTasks(claim) }],
        });
        expect(proxy.cuts).toBe(1);
        return done;
      });
      expect(report).toMatchObject({ succeeded: 1, released: 2, lost: 0, unwritten: 0 });
      expect(await historyOf(ids)).toEqual({
        states: ['succeeded', 'waiting', 'waiting'],
        outcomes: ['succeeded'],
      });
    });

    it('in a heartbeat: the next look renews the lease, and the task goes on', async () => {
      const id = await queue.enqueue('noop');
      const report = await behindProxy(async (proxy, db) => {
        proxy.cut(where, statements.renewal);
        const handler: Handler = async (task) => {
          const first = (await queue.task(id)).lease_until?.getTime() ?? 0;
          await expect.poll(() => proxy.cuts).toBe(1);
          const cutAt = (await queue.task(id)).lease_until?.getTime() ?? 0;
          await expect
            .poll(async () => (await queue.task(id)).lease_until?.getTime() ?? 0)
            .toBeGreaterThan(Math.max(first, cutAt));
          expect(task.signal.aborted).toBe(false);
          return await succeed(task);
        };
        return await queue.tick(
          { noop: handler },
          { context: queue.context({ db, tasks: { lease: '3s' } }) },
        );
      });
      expect(report.succeeded).toBe(1);
      expect(await historyOf([id])).toEqual({ states: ['succeeded'], outcomes: ['succeeded'] });
    });

    it('in the birth of a task a person waits for: it runs once, and no tick runs it again', async () => {
      let runs = 0;
      const handler: Handler = async (task) => {
        runs += 1;
        return await succeed(task);
      };
      const kinds = fakeKinds({ restore: { run: handler, mutex: 'db' } });
      const kind = kinds.get('restore');
      if (kind === undefined) throw new Error('no kind');
      const { taskId } = await behindProxy(async (proxy, db) => {
        proxy.cut(where, 'with born as');
        return await runTaskNow({
          ...{
            context: queue.context({ db }),
            kind,
            payload: {},
            worker: workerIdentity(host),
            log: silentLog,
          },
          ...{
            signal: new AbortController().signal,
            live: { log: silentLog, progress: progressToLog(silentLog) },
          },
        });
      });
      await queue.tick({ restore: handler });
      expect(runs).toBe(1);
      expect(await queue.task(taskId)).toMatchObject({ state: 'succeeded' });
      const states = await queue.database.query('select state, reason from tend.tasks where id <> $1', [
        taskId,
      ]);
      expect(states).toEqual(
        where === 'before'
          ? []
          : [{ state: 'cancelled', reason: 'not started: the claim was not acknowledged' }],
      );
    });
  },
);

describe('pg_terminate_backend', () => {
  it('between the statements of a tick goes unnoticed', async () => {
    const ids = [await queue.enqueue('noop'), await queue.enqueue('noop')];
    let ended = 0;
    const handler: Handler = async (task) => {
      ended += await terminateSession();
      return await succeed(task);
    };
    const report = await queue.tick({ noop: handler }, { concurrency: 1 });
    expect(report).toMatchObject({ succeeded: 2, unwritten: 0 });
    expect(ended).toBeGreaterThan(0);
    expect(await historyOf(ids)).toEqual({
      states: repeated(2, 'succeeded'),
      outcomes: repeated(2, 'succeeded'),
    });
  });

  it('inside a claim: nothing was claimed, and the next session claims', async () => {
    const id = await queue.enqueue('noop', { mutex: 'm' });
    const blocker = await queue.enqueue('other', { mutex: 'm' });
    const session = await queue.database.connect();
    await session.query('begin');
    await session.query(
      `update tend.tasks set state = 'running', lease_owner = 'x:1:::', lease_token = gen_random_uuid(),
              lease_until = now() + interval '1 min' where id = $1`,
      [blocker],
    );
    const ticking = queue.tick({ noop: succeed });
    await queue.untilBlocked();
    expect(await terminateSession()).toBe(1);
    await session.query('rollback');
    await session.end();
    expect(await ticking).toMatchObject({ succeeded: 1 });
    expect(await queue.task(id)).toMatchObject({ state: 'succeeded', attempt: 1 });
  });

  it('inside a finish: the ending is written over the next session, once', async () => {
    const id = await queue.enqueue('noop');
    const session = await queue.database.connect();
    const handler: Handler = async (task) => {
      await session.query('begin');
      await session.query('select from tend.tasks where id = $1 for update', [id]);
      return await succeed(task);
    };
    const ticking = queue.tick({ noop: handler });
    await queue.untilBlocked();
    expect(await terminateSession()).toBe(1);
    await session.query('rollback');
    await session.end();
    expect(await ticking).toMatchObject({ succeeded: 1, unwritten: 0 });
    expect(await historyOf([id])).toEqual({ states: ['succeeded'], outcomes: ['succeeded'] });
  });
});

describe('a database that is gone', () => {
  it('while tasks run: they are told to stop before their lease ends, and their end is reported as unwritten', async () => {
    const id = await queue.enqueue('noop');
    const warnings: string[] = [];
    const reasons: unknown[] = [];
    const report = await behindProxy(async (proxy, db) => {
      const handler: Handler = async ({ signal }) => {
        proxy.swallow();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        const lease = Number((await queue.task(id)).lease_until);
        reasons.push([toError(signal.reason).message, lease > Date.now()]);
        throw toError(signal.reason);
      };
      // A session that does not answer is given up after the limit of a statement and five seconds.
      const connection = { ...proxy.connection, connectTimeoutMs: 500 };
      await using impatient = openDatabase({
        connection,
        applicationName: 'half-open',
        statementTimeoutMs: 500,
      });
      await db.destroy();
      return await queue.tick(
        { noop: handler },
        {
          limit: 1,
          context: handlerContext({ connection, db: impatient, tasks: { lease: '2s', grace: '1s' } }),
          log: { ...silentLog, warn: (message) => void warnings.push(message) },
        },
      );
    });
    expect(reasons).toEqual([
      ['the lease was given up: the database did not answer in time to renew it', true],
    ]);
    expect(report).toMatchObject({ unwritten: 1 });
    expect(warnings.join('\n')).toMatch(/the database did not take a statement/);
    // Each thing is said once, however often it was tried.
    expect(warnings.filter((line, nth) => line === warnings[nth - 1])).toEqual([]);
    expect(await queue.task(id)).toMatchObject({ state: 'running' });
  }, 60_000);

  it('and comes back after a crash while a task runs: its ending is written', async () => {
    const { temporaryDirectory } = testRun();
    await using cluster = await startCluster({
      parentDirectory: temporaryDirectory,
      settings: { synchronous_commit: 'on' },
    });
    const connection = {
      ...queue.database.connection,
      ...{ database: 'postgres', user: cluster.superuser, origin: 'test' },
    };
    connection.servers = [{ host: cluster.socketDirectory, port: cluster.port }];
    await using db = openDatabase({ connection, applicationName: 'through a crash' });
    const { migrateUp } = await import('../../src/database/migrate.ts');
    await migrateUp({ db });
    const { enqueueTask } = await import('../../src/tasks/enqueue-task.ts');
    const ids = [
      await enqueueTask({ db, kind: 'noop', payload: {} }),
      await enqueueTask({ db, kind: 'noop', payload: {} }),
    ];
    const handler: Handler = async (task) => {
      if (task.id === ids[0]) await cluster.restart('immediate');
      return await succeed(task);
    };
    const context = handlerContext({ connection, db });
    const report = await queue.tick({ noop: handler }, { context, concurrency: 1 });
    expect(report).toMatchObject({ succeeded: 2, unwritten: 0, lost: 0 });
    const rows = await db.selectFrom('tend.attempts').select(['outcome', 'attempt']).execute();
    expect(rows).toEqual(repeated(2, { outcome: 'succeeded', attempt: 1 }));
  });
});
