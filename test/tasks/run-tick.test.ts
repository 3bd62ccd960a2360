import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { TendError } from '../../src/errors.ts';
import { finishAttempts } from '../../src/tasks/finish-attempts.ts';
import { workerIdentity } from '../../src/tasks/worker-identity.ts';
import { statementsDuring } from '../support/server-log.ts';
import {
  createQueue,
  ending,
  type Handler,
  host,
  type Queue,
  recordingLog,
  succeed,
} from './support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

const fail: Handler = async () => {
  throw new Error('no luck');
};

describe('an idle tick', () => {
  it('is one statement over one session', async () => {
    await queue.tick({ noop: succeed }); // the host's first tick registers its kinds
    await queue.enqueue('noop', { run_at: new Date(Date.now() + 3_600_000) });
    await queue.enqueue('noop', { unique_key: 'done' });
    const endings = (await queue.claim()).map((task) => ({ task, ending: ending() }));
    await finishAttempts({ db: queue.db, endings });
    await using db = openDatabase({ connection: queue.database.connection, applicationName: 'idle tick' });
    const statements = await statementsDuring(queue.database, async () => {
      const report = await queue.tick({ noop: succeed }, { context: queue.context({ db }) });
      expect(report).toMatchObject({ isIdle: true, succeeded: 0, pruned: 0, reaped: [] });
      await db.destroy();
    });
    expect(statements).toHaveLength(1);
    expect(statements[0]?.text).toBe('with origin as materialized (');
  });

  it('records that the host ticks, and tells when the next task is due', async () => {
    const runAt = new Date(Date.now() + 3_600_000);
    await queue.enqueue('noop', { run_at: runAt });
    for (let n = 0; n < 3; n++) expect((await queue.tick({ noop: succeed })).nextDueAt).toEqual(runAt);
    const hosts = await queue.database.query(
      `select host, ticks, last_busy_at, last_tick_at > now() - interval '1 min' as is_fresh from tend.hosts`,
    );
    expect(hosts).toEqual([{ host, ticks: '3', last_busy_at: null, is_fresh: true }]);
  });

  it('leaves no session once its database is closed', async () => {
    const { connection } = queue.database;
    {
      await using db = openDatabase({ connection, applicationName: 'gone after' });
      await queue.tick({ noop: succeed }, { context: queue.context({ db }) });
    }
    const sessions = `select from pg_stat_activity where application_name = 'gone after'`;
    await expect.poll(() => queue.database.query(sessions)).toEqual([]);
  });
});

describe('a tick', () => {
  it('runs all that is due and then ends', async () => {
    for (let n = 0; n < 25; n++) await queue.enqueue('noop');
    const later = await queue.enqueue('noop', { run_at: new Date(Date.now() + 3_600_000) });
    expect(await queue.tick({ noop: succeed })).toMatchObject({ isIdle: false, succeeded: 25, failed: 0 });
    expect(await queue.task(later)).toMatchObject({ state: 'waiting' });
    expect(await queue.tick({ noop: succeed })).toMatchObject({ isIdle: true });
    const hosts = await queue.database.query('select last_outcome from tend.hosts');
    expect(hosts).toEqual([{ last_outcome: '25 succeeded' }]);
  });

  it('runs a task that is added while it works, or leaves it untouched', async () => {
    await queue.enqueue('noop');
    const added: number[] = [];
    const handler: Handler = async (task) => {
      if (added.length < 10) added.push(await queue.enqueue('noop'));
      return await succeed(task);
    };
    expect(await queue.tick({ noop: handler })).toMatchObject({ succeeded: 11 });
    for (const id of added) expect(await queue.task(id)).toMatchObject({ state: 'succeeded', attempt: 1 });
  });

  it('leaves an unknown kind visible, and does what it knows', async () => {
    const unknown = await queue.enqueue('stranger');
    await queue.enqueue('noop');
    expect(await queue.tick({ noop: succeed })).toMatchObject({ succeeded: 1, failed: 0 });
    expect(await queue.task(unknown)).toMatchObject({ state: 'waiting', attempt: 0 });
    const [health] = await queue.database.query('select problems from tend.health');
    expect(health?.['problems']).toEqual(['1 due of a kind nobody knows']);
  });

  it('is not stopped by a payload that does not fit: that task alone fails', async () => {
    const bad = await queue.enqueue('picky', { payload: { wrong: true } });
    const good = await queue.enqueue('noop');
    const v = await import('valibot');
    const payloadSchema = v.objectWithRest({ to: v.string() }, v.unknown());
    const report = await queue.tick({ noop: succeed, picky: { run: succeed, payloadSchema } });
    expect(report).toMatchObject({ succeeded: 1, failed: 1 });
    expect(await queue.task(bad)).toMatchObject({ state: 'failed', attempt: 1, reason: 'permanent error' });
    expect((await queue.task(bad)).last_error).toContain('to: ');
    expect(await queue.task(good)).toMatchObject({ state: 'succeeded' });
  });

  it('tells apart what failed for good, what will be tried again and what is held', async () => {
    const permanent = await queue.enqueue('broken');
    const again = await queue.enqueue('unlucky');
    const held = await queue.enqueue('unsure');
    const report = await queue.tick({
      broken: () => Promise.reject(new TendError('INPUT_INVALID', 'never', { isPermanent: true })),
      unlucky: fail,
      unsure: async () => ({ outcome: 'unknown', reason: 'no reply' }),
    });
    expect(report).toMatchObject({ failed: 1, retried: 1, held: 1, succeeded: 0 });
    expect(await queue.task(permanent)).toMatchObject({ state: 'failed' });
    expect(await queue.task(again)).toMatchObject({ state: 'waiting', attempt: 1, last_error: 'no luck' });
    expect(await queue.task(held)).toMatchObject({ state: 'held', reason: 'outcome unknown: no reply' });
    expect(await queue.tick({ broken: fail, unlucky: fail, unsure: fail })).toMatchObject({ isIdle: true });
  });

  it('tries a task as often as it may, and then it has failed', async () => {
    const id = await queue.enqueue('unlucky', { max_attempts: 3 });
    for (let n = 0; n < 3; n++) {
      await queue.tick({ unlucky: fail });
      await queue.database.query('update tend.tasks set run_at = now()');
    }
    expect(await queue.task(id)).toMatchObject({ state: 'failed', attempt: 3, reason: 'no attempts left' });
    expect((await queue.attempts(id)).map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  it('does not count an attempt that was postponed', async () => {
    const id = await queue.enqueue('later');
    const report = await queue.tick({
      later: async () => ({ outcome: 'postponed', delayMs: 60_000, reason: 'the bell has not rung' }),
    });
    expect(report).toMatchObject({ retried: 1 });
    expect(await queue.task(id)).toMatchObject({
      state: 'waiting',
      attempt: 0,
      reason: 'the bell has not rung',
    });
    expect(await queue.attempts(id)).toMatchObject([{ outcome: 'postponed', attempt: 1 }]);
  });

  it('keeps an ending whose evidence cannot be stored: without the evidence', async () => {
    const big = await queue.enqueue('odd');
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const results = [{ count: 10n }, circle];
    const round = await queue.enqueue('odd');
    const good = await queue.enqueue('noop');
    const report = await queue.tick({
      noop: succeed,
      odd: async () => ({ outcome: 'succeeded', evidence: results.pop() ?? {} }),
    });
    expect(report).toMatchObject({ succeeded: 3, unwritten: 0 });
    for (const id of [big, round, good]) {
      expect(await queue.task(id)).toMatchObject({ state: 'succeeded' });
      expect(await queue.attempts(id)).toMatchObject([{ outcome: 'succeeded', evidence: null }]);
    }
  });

  it('does no more than its limit', async () => {
    for (let n = 0; n < 5; n++) await queue.enqueue('noop');
    expect(await queue.tick({ noop: succeed }, { limit: 3 })).toMatchObject({ succeeded: 3 });
  });

  it('claims nothing after its deadline, and finishes what runs', async () => {
    for (let n = 0; n < 5; n++) await queue.enqueue('noop');
    const report = await queue.tick({ noop: succeed }, { deadlineMs: 0 });
    expect(report).toMatchObject({ succeeded: 0, isIdle: false });
    let elapsedMs = 0;
    const context = { ...queue.context(), clock: { ...systemClock, monotonicMs: () => elapsedMs } };
    const slow: Handler = async (task) => {
      elapsedMs = 50;
      await delay(100);
      return await succeed(task);
    };
    expect(await queue.tick({ noop: slow }, { context, deadlineMs: 50, concurrency: 2 })).toMatchObject({
      succeeded: 2,
    });
  });

  it('runs as many at a time as it may, and no more', async () => {
    for (let n = 0; n < 12; n++) await queue.enqueue('noop');
    let running = 0;
    let most = 0;
    const handler: Handler = async (task) => {
      running += 1;
      most = Math.max(most, running);
      await delay(20);
      running -= 1;
      return await succeed(task);
    };
    await queue.tick({ noop: handler }, { concurrency: 3 });
    expect(most).toBe(3);
  });

  it('with many tasks that all use the one session cannot deadlock', async () => {
    for (let n = 0; n < 40; n++) await queue.enqueue('noop');
    const handler: Handler = async ({ context, id }) => {
      await context.db.transaction().execute(async (trx) => {
        await trx.selectFrom('tend.tasks').select('id').where('id', '=', id).execute();
      });
      await context.db.selectFrom('tend.meta').selectAll().execute();
      return { outcome: 'succeeded' };
    };
    expect(await queue.tick({ noop: handler }, { concurrency: 40 })).toMatchObject({ succeeded: 40 });
  });

  it('holds no session while its tasks work', async () => {
    await queue.enqueue('noop');
    const { connection } = queue.database;
    await using db = openDatabase({ connection, applicationName: 'away' });
    const sessions = `select from pg_stat_activity where application_name = 'away'`;
    const handler: Handler = async (task) => {
      await expect.poll(() => queue.database.query(sessions)).toEqual([]);
      return await succeed(task);
    };
    expect(await queue.tick({ noop: handler }, { context: queue.context({ db }) })).toMatchObject({
      succeeded: 1,
    });
  });

  it('keeps to the kinds and queues it is given', async () => {
    await queue.enqueue('other');
    await queue.enqueue('noop', { queue: 'slow' });
    const mine = await queue.enqueue('noop', { queue: 'fast' });
    const kinds = { noop: succeed, other: succeed };
    const report = await queue.tick(kinds, { onlyKinds: ['noop'], onlyQueues: ['fast'] });
    expect(report.tasks.map(({ id }) => id)).toEqual([mine]);
  });

  it('prunes what is old enough', async () => {
    await queue.enqueue('noop');
    await queue.tick({ noop: succeed });
    await queue.database.query(`update tend.tasks set finished_at = now() - interval '8 days'`);
    expect(await queue.tick({ noop: succeed })).toMatchObject({ pruned: 1, isIdle: false });
  });
});

describe('tasks with one mutex', () => {
  it('never overlap, with several ticks at once', async () => {
    for (let n = 0; n < 12; n++) await queue.enqueue('noop', { mutex: 'm' });
    let running = 0;
    let most = 0;
    const handler: Handler = async (task) => {
      running += 1;
      most = Math.max(most, running);
      await delay(5);
      running -= 1;
      return await succeed(task);
    };
    const tick = async () => {
      await using db = openDatabase({ connection: queue.database.connection, applicationName: 'tick' });
      return await queue.tick({ noop: handler }, { context: queue.context({ db }) });
    };
    const reports = await Promise.all([tick(), tick(), tick()]);
    expect(reports.reduce((sum, { succeeded }) => sum + succeeded, 0)).toBe(12);
    expect(most).toBe(1);
  });
});

describe('a tick for one task', () => {
  it('runs it although it is not due, and nothing else', async () => {
    await queue.enqueue('noop');
    const id = await queue.enqueue('noop', { run_at: new Date(Date.now() + 3_600_000) });
    const report = await queue.tick({ noop: succeed }, { taskId: id });
    expect(report.tasks).toMatchObject([{ id, state: 'succeeded' }]);
    expect(report.succeeded).toBe(1);
  });

  it('that is not there fails', async () => {
    await expect(queue.tick({ noop: succeed }, { taskId: 4711 })).rejects.toMatchObject({
      code: 'TASK_NOT_FOUND',
    });
  });

  it('that cannot run now says why', async () => {
    await queue.enqueue('noop', { mutex: 'm' });
    await queue.claim();
    const id = await queue.enqueue('noop', { mutex: 'm', host: 'web2' });
    const error = await queue.tick({ noop: succeed }, { taskId: id }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'TASK_STATE_CONFLICT', hint: `tend tasks explain ${id}` });
    expect(String(error)).toContain(
      'it is pinned to host "web2", and this is "testhost"; mutex "m" is held by task 1',
    );
  });
});

describe('a tick that is told to stop', () => {
  it('before it began claims nothing', async () => {
    const id = await queue.enqueue('noop');
    const report = await queue.tick({ noop: succeed }, { signal: AbortSignal.abort() });
    expect(report).toMatchObject({ succeeded: 0, released: 0 });
    expect(await queue.task(id)).toMatchObject({ state: 'waiting', attempt: 0 });
  });

  it('while a task runs that finishes all the same: the result is on record before the tick ends', async () => {
    const id = await queue.enqueue('noop');
    const stop = new AbortController();
    const handler: Handler = async () => {
      stop.abort();
      await delay(50);
      return { outcome: 'succeeded', evidence: { done: true } };
    };
    expect(await queue.tick({ noop: handler }, { signal: stop.signal })).toMatchObject({ succeeded: 1 });
    expect(await queue.task(id)).toMatchObject({ state: 'succeeded' });
    expect(await queue.attempts(id)).toMatchObject([{ evidence: { done: true } }]);
  });

  it('while a task runs that stops: it goes back, and the attempt is not counted', async () => {
    const id = await queue.enqueue('noop', { max_attempts: 1 });
    const stop = new AbortController();
    const handler: Handler = async ({ signal }) => {
      setImmediate(() => stop.abort());
      await delay(60_000, undefined, { signal });
      return { outcome: 'succeeded' };
    };
    expect(await queue.tick({ noop: handler }, { signal: stop.signal })).toMatchObject({ released: 1 });
    expect(await queue.task(id)).toMatchObject({
      ...{ state: 'waiting', attempt: 0, reason: 'given back: the worker was told to stop' },
    });
    expect(await queue.attempts(id)).toMatchObject([{ outcome: 'released' }]);
    expect(await queue.tick({ noop: succeed })).toMatchObject({ succeeded: 1 });
  });

  it('gives back what it had claimed and not started, as if nothing had happened', async () => {
    for (let n = 0; n < 300; n++) await queue.enqueue('noop');
    const stop = new AbortController();
    let started = 0;
    const handler: Handler = async (task) => {
      started += 1;
      if (started === 100) stop.abort();
      return await succeed(task);
    };
    const report = await queue.tick({ noop: handler }, { signal: stop.signal, concurrency: 2 });
    expect(report.succeeded + report.released).toBeGreaterThanOrEqual(100);
    const states = await queue.database.query<{ state: string; attempt: number; count: number }>(
      'select state, attempt, count(*)::int as count from tend.tasks group by 1, 2 order by 1',
    );
    expect(states).toEqual([
      { state: 'succeeded', attempt: 1, count: started },
      { state: 'waiting', attempt: 0, count: 300 - started },
    ]);
    expect(await queue.database.query('select from tend.attempts')).toHaveLength(started);
  });

  it('while a handler does not listen: the tick ends in bounded time, and the task goes back', async () => {
    const id = await queue.enqueue('noop');
    const stop = new AbortController();
    const stuck = Promise.withResolvers<{ outcome: 'succeeded' }>();
    const handler: Handler = async () => {
      stop.abort();
      return await stuck.promise;
    };
    const context = queue.context({ tasks: { grace: '1s' } });
    expect(await queue.tick({ noop: handler }, { signal: stop.signal, context })).toMatchObject({
      released: 1,
    });
    expect(await queue.task(id)).toMatchObject({ state: 'waiting', attempt: 0 });
    stuck.resolve({ outcome: 'succeeded' });
  });
});

describe('a tick that finds lost tasks', () => {
  it('takes those with an expired lease back and says so', async () => {
    const id = await queue.enqueue('noop');
    await queue.claim({ worker: workerIdentity('web2') });
    await queue.expire(id);
    const log = recordingLog();
    const report = await queue.tick({ noop: succeed }, { log });
    expect(report.reaped).toMatchObject([{ id, state: 'waiting' }]);
    expect(log.warnings).toEqual([
      `Task ${id} (noop) was lost by worker web2:${process.pid}; it is waiting now.`,
    ]);
  });

  it.runIf(process.platform === 'linux')('of a dead process on this host does so at once', async () => {
    const id = await queue.enqueue('noop');
    const dead = { ...queue.worker, owner: queue.worker.owner.replace(/:\d+:([^:]+:)\d+:/, ':4194305:$11:') };
    await queue.claim({ worker: dead });
    const log = recordingLog();
    const report = await queue.tick({ noop: succeed }, { log });
    expect(report.reaped).toMatchObject([{ id, state: 'waiting' }]);
    expect(log.warnings).toEqual([
      `Task ${id} (noop) was lost by worker testhost:4194305; it is waiting now.`,
    ]);
  });

  it('leaves the tasks of live workers, here and elsewhere', async () => {
    await queue.enqueue('noop');
    await queue.enqueue('noop');
    await queue.claim({ worker: workerIdentity(host) });
    await queue.claim({ worker: workerIdentity('web2') });
    expect((await queue.tick({ noop: succeed })).reaped).toEqual([]);
  });
});

describe('a cancel request', () => {
  it('reaches a running task, which is cancelled', async () => {
    const id = await queue.enqueue('noop');
    const handler: Handler = async ({ signal }) => {
      await queue.database.query('select tend.cancel($1)', [id]);
      await delay(60_000, undefined, { signal });
      return { outcome: 'succeeded' };
    };
    const context = queue.context({ tasks: { lease: '2s' } });
    expect(await queue.tick({ noop: handler }, { context })).toMatchObject({ cancelled: 1 });
    expect(await queue.task(id)).toMatchObject({ state: 'cancelled', reason: 'cancel was requested' });
    expect(await queue.attempts(id)).toMatchObject([{ outcome: 'cancelled' }]);
  });
});

describe('a database of another version', () => {
  it.each([
    ['without schema tend', 'drop schema tend cascade', 'SCHEMA_MISSING'],
    [
      'newer than this program',
      `insert into tend.migrations values ('0999-x'); update tend.meta set schema_version = 999`,
      'SCHEMA_TOO_NEW',
    ],
    ['of a newer version by its own account', 'update tend.meta set schema_version = 999', 'SCHEMA_TOO_NEW'],
    ['of an older version by its own account', 'update tend.meta set schema_version = 1', 'SCHEMA_TOO_OLD'],
    [
      'newer, without what we name',
      `insert into tend.migrations values ('0999-x'); drop table tend.hosts cascade`,
      'SCHEMA_TOO_NEW',
    ],
  ])('%s stops the tick with 78, and nothing is changed', async (_name, change, code) => {
    const other = await createQueue();
    await other.enqueue('noop');
    await other.database.query(change);
    await expect(other.tick({ noop: succeed })).rejects.toMatchObject({ code, exitCode: 78 });
    await other[Symbol.asyncDispose]();
  });
});
