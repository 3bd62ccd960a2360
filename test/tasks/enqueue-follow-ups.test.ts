import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/open-database.ts';
import type { FollowUp } from '../../src/index.ts';
import { checkFollowUp } from '../../src/tasks/check-follow-up.ts';
import type { ClaimedTask } from '../../src/tasks/claim-due-tasks.ts';
import { type AttemptEnding, finishAttempts } from '../../src/tasks/finish-attempts.ts';
import { reapLostTasks } from '../../src/tasks/reap-lost-tasks.ts';
import { registerKinds } from '../../src/tasks/register-kinds.ts';
import { type Cut, startDatabaseProxy } from '../support/database-proxy.ts';
import {
  createQueue,
  ending,
  fakeKinds,
  type Handler,
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

async function claimOne(args: Record<string, unknown> = {}): Promise<ClaimedTask> {
  await queue.enqueue('noop', args);
  const [task] = await queue.claim();
  if (task === undefined) throw new Error('nothing was claimed');
  return task;
}

async function finish(task: ClaimedTask, tasks: FollowUp[], given: Partial<AttemptEnding> = {}) {
  const followUps = tasks.map(checkFollowUp);
  const endings = [{ task, ending: ending({ followUps, ...given }) }];
  const [finished] = await finishAttempts({ db: queue.db, endings });
  return finished?.state;
}

/** Kind and creator of every task that another has enqueued, in order. */
async function followUpsOf(id: number): Promise<string[]> {
  const sql = 'select kind from tend.tasks where enqueued_by = $1 order by id';
  return (await queue.database.query<{ kind: string }>(sql, [id])).map(({ kind }) => kind);
}

async function countTasks(kind: string): Promise<number> {
  const sql = 'select count(*)::int as count from tend.tasks where kind = $1';
  return Number((await queue.database.query(sql, [kind]))[0]?.['count']);
}

const retry = { outcome: 'failed', state: 'waiting', delayMs: 60_000, error: 'no luck' } as const;

describe('a task that leaves follow-up tasks behind', () => {
  it('enqueues them in the statement that finishes it, in order, as its own', async () => {
    await registerKinds({
      db: queue.db,
      kinds: fakeKinds({ mail: { run: succeed, mutex: 'smtp', maxAttempts: 9 } }),
    });
    const task = await claimOne();
    const tasks: FollowUp[] = [
      { kind: 'mail', payload: { to: 'ann' } },
      {
        kind: 'later',
        delayMs: 3_600_000,
        queue: 'slow',
        priority: -3,
        host: 'web1',
        mutex: 'm',
        maxAttempts: 2,
      },
    ];
    expect(await finish(task, tasks)).toBe('succeeded');
    expect(await followUpsOf(task.id)).toEqual(['mail', 'later']);
    expect(await queue.task(task.id + 1)).toMatchObject({
      ...{
        state: 'waiting',
        payload: { to: 'ann' },
        mutex: 'smtp',
        max_attempts: 9,
        enqueued_by: String(task.id),
      },
    });
    const later = await queue.task(task.id + 2);
    expect(later).toMatchObject({ queue: 'slow', priority: -3, host: 'web1', mutex: 'm', max_attempts: 2 });
    expect(later.run_at.getTime() - later.created_at.getTime()).toBe(3_600_000);
  });

  it('replaces a waiting task with the same unique key', async () => {
    const waiting = await queue.enqueue('mail', { unique_key: 'k', run_at: 'tomorrow' });
    const task = await claimOne();
    await finish(task, [{ kind: 'mail', payload: { second: true }, uniqueKey: 'k' }]);
    expect(await queue.task(waiting)).toMatchObject({
      payload: { second: true },
      enqueued_by: String(task.id),
    });
    expect(await countTasks('mail')).toBe(1);
    // The application's own is nobody's again.
    await queue.enqueue('mail', { unique_key: 'k' });
    expect(await queue.task(waiting)).toMatchObject({ payload: {}, enqueued_by: null });
  });

  it('may leave its own successor, with its own unique key', async () => {
    const task = await claimOne({ unique_key: 'k' });
    await finish(task, [{ kind: 'noop', uniqueKey: 'k', delayMs: 1000 }]);
    expect(await queue.task(task.id)).toMatchObject({ state: 'succeeded', enqueued_by: null });
    expect(await followUpsOf(task.id)).toEqual(['noop']);
  });

  it('and would wait again gives way to its own follow-up with its unique key', async () => {
    const task = await claimOne({ unique_key: 'k' });
    expect(await finish(task, [{ kind: 'noop', uniqueKey: 'k', payload: { second: true } }], retry)).toBe(
      'cancelled',
    );
    expect(await queue.task(task.id)).toMatchObject({
      ...{ reason: 'superseded by a newer task with the same unique key', payload: {} },
    });
    expect(await followUpsOf(task.id)).toEqual(['noop']);
  });

  it('for every host enqueues one a host, all its own, and nothing that was there', async () => {
    for (const host of ['web1', 'web2']) {
      await queue.database.query(`insert into tend.hosts (host, last_worker) values ($1, 'x')`, [host]);
    }
    const task = await claimOne();
    await finish(task, [{ kind: 'compile', host: '*', uniqueKey: 'c' }]);
    expect(await followUpsOf(task.id)).toEqual(['compile', 'compile']);
    await queue.database.query(
      `update tend.tasks set state = 'failed', finished_at = now() where host = 'web2'`,
    );
    const second = await claimOne();
    await finish(second, [{ kind: 'compile', host: '*', uniqueKey: 'c' }]);
    // web1's waiting one was replaced; web2's had ended, and stays whose it was
    expect(await followUpsOf(task.id)).toEqual(['compile']);
    expect(await followUpsOf(second.id)).toEqual(['compile', 'compile']);
  });

  it('enqueues nothing when its lease was lost', async () => {
    const task = await claimOne();
    await queue.expire(task.id);
    await reapLostTasks({ db: queue.db, deadOwners: [] });
    expect(await finish(task, [{ kind: 'mail' }])).toBeNull();
    expect(await countTasks('mail')).toBe(0);
  });

  it('enqueues nothing of an attempt without a lease that ends in one statement with the newer one', async () => {
    const stale = await claimOne();
    await queue.expire(stale.id);
    await reapLostTasks({ db: queue.db, deadOwners: [] });
    await queue.database.query('update tend.tasks set run_at = now() where id = $1', [stale.id]);
    const [newer] = await queue.claim();
    if (newer === undefined) throw new Error('it was not claimed again');
    const endings = [
      { task: stale, ending: ending({ followUps: [checkFollowUp({ kind: 'stale' })] }) },
      { task: newer, ending: ending({ followUps: [checkFollowUp({ kind: 'newer' })] }) },
    ];
    await finishAttempts({ db: queue.db, endings });
    expect(await followUpsOf(stale.id)).toEqual(['newer']);
  });

  it('enqueues nothing when it was deleted while it ran', async () => {
    const task = await claimOne();
    await queue.database.query('delete from tend.tasks where id = $1', [task.id]);
    expect(await finish(task, [{ kind: 'mail' }])).toBeNull();
    expect(await countTasks('mail')).toBe(0);
  });

  it('enqueues nothing when it is cancelled instead of tried again', async () => {
    const task = await claimOne();
    await queue.database.query('select tend.cancel($1)', [task.id]);
    expect(await finish(task, [{ kind: 'mail' }], retry)).toBe('cancelled');
    expect(await countTasks('mail')).toBe(0);
  });

  it('enqueues them once when the ending is written twice', async () => {
    const task = await claimOne();
    expect([await finish(task, [{ kind: 'mail' }]), await finish(task, [{ kind: 'mail' }])]).toEqual([
      ...['succeeded', 'succeeded'],
    ]);
    expect(await countTasks('mail')).toBe(1);
  });

  it('among others that leave none is written in one statement with them', async () => {
    for (let n = 0; n < 20; n++) await queue.enqueue('noop');
    const claimed = await queue.claim({ count: 20 });
    const endings = claimed.map((task, index) => ({
      task,
      ending: ending(
        index % 2 === 0 ? { followUps: [checkFollowUp({ kind: 'mail', payload: { of: task.id } })] } : {},
      ),
    }));
    const finished = await finishAttempts({ db: queue.db, endings });
    expect(new Set(finished.map(({ state }) => state))).toEqual(new Set(['succeeded']));
    const rows = await queue.database.query(
      `select count(*)::int as count, bool_and((payload->>'of')::bigint = enqueued_by) as is_right from tend.tasks where kind = 'mail'`,
    );
    expect(rows).toEqual([{ count: 10, is_right: true }]);
  });

  it('meets no deadlock with another that names the same unique keys the other way round', async () => {
    for (let round = 0; round < 20; round++) {
      const [one, other] = [await claimOne(), await claimOne()];
      const keys = Array.from({ length: 10 }, (_, index) => `k${index}`);
      const tasks = keys.map((uniqueKey) => ({ kind: 'mail', uniqueKey }));
      const states = await Promise.all([
        finish(one, tasks),
        (async () => {
          await using db = openDatabase({
            connection: queue.database.connection,
            applicationName: 'another worker',
          });
          const followUps = tasks.toReversed().map(checkFollowUp);
          return (await finishAttempts({ db, endings: [{ task: other, ending: ending({ followUps }) }] }))[0]
            ?.state;
        })(),
      ]);
      expect(states).toEqual(['succeeded', 'succeeded']);
    }
    expect(await countTasks('mail')).toBe(10);
  });
});

/** A handler that enqueues and ends as told. */
function enqueueing(tasks: FollowUp[], options?: { evenIfFailed?: true; thrown?: Error }): Handler {
  return async (task) => {
    const evenIfFailed = options?.evenIfFailed;
    for (const followUp of tasks) task.enqueue(followUp, evenIfFailed === true ? { evenIfFailed } : {});
    if (options?.thrown !== undefined) throw options.thrown;
    return await succeed(task);
  };
}

describe('in a tick, a handler', () => {
  it('enqueues tasks that the same tick runs', async () => {
    const id = await queue.enqueue('first');
    const report = await queue.tick({
      first: enqueueing([{ kind: 'second' }, { kind: 'second' }]),
      second: succeed,
    });
    expect(report).toMatchObject({ succeeded: 3 });
    expect(await followUpsOf(id)).toEqual(['second', 'second']);
  });

  it('enqueues nothing when it fails, unless that was meant', async () => {
    const thrown = new Error('no luck');
    const [first, second] = [await queue.enqueue('plain'), await queue.enqueue('telling')];
    await queue.tick({
      plain: enqueueing([{ kind: 'mail' }], { thrown }),
      telling: enqueueing([{ kind: 'mail' }], { thrown, evenIfFailed: true }),
    });
    expect(await followUpsOf(first)).toEqual([]);
    expect(await followUpsOf(second)).toEqual(['mail']);
    expect(await queue.task(second)).toMatchObject({ state: 'waiting', last_error: 'no luck' });
  });

  it('that names a wrong one fails for good, and enqueues none of them', async () => {
    const id = await queue.enqueue('first');
    await queue.tick({ first: enqueueing([{ kind: 'mail' }, { kind: 'No Kind' }]) });
    expect(await queue.task(id)).toMatchObject({
      ...{
        state: 'failed',
        last_error: expect.stringMatching(/^A follow-up task cannot be enqueued: kind: /),
      },
    });
    expect(await countTasks('mail')).toBe(0);
  });

  it.each([
    ['1000 tasks', (index: number) => ({ kind: 'mail', payload: { index } }), 1001],
    ['16 MiB of payloads', () => ({ kind: 'mail', payload: { a: 'x'.repeat(1024 * 1024) } }), 16],
  ])('cannot enqueue more than %s', async (limit, make, count) => {
    const id = await queue.enqueue('first');
    await queue.tick({ first: enqueueing(Array.from({ length: count }, (_, index) => make(index))) });
    expect(await queue.task(id)).toMatchObject({
      ...{ state: 'failed', last_error: `An attempt can enqueue at most ${limit}.` },
    });
  });

  it('may enqueue as many as there may be, in several attempts at once', async () => {
    for (let n = 0; n < 4; n++) await queue.enqueue('first');
    const tasks = Array.from({ length: 1000 }, (_, index) => ({ kind: 'mail', payload: { index } }));
    expect(await queue.tick({ first: enqueueing(tasks) })).toMatchObject({ succeeded: 4, unwritten: 0 });
    expect(await countTasks('mail')).toBe(4000);
  });

  it('cannot enqueue any more when its attempt has ended', async () => {
    await queue.enqueue('first');
    let enqueue: (() => void) | undefined;
    await queue.tick({
      first: async (task) => {
        enqueue = () => task.enqueue({ kind: 'mail' });
        return await succeed(task);
      },
    });
    expect(enqueue).toThrow('A follow-up task came too late: the attempt has ended.');
  });
});

describe('a follow-up that the server refuses all the same', () => {
  // It is accepted here and refused there: no host has ever ticked.
  const nowhere = enqueueing([{ kind: 'mail' }, { kind: 'compile', host: '*' }]);
  const forgetHosts: Handler = async (task) => {
    await queue.database.query('delete from tend.hosts');
    return await nowhere(task);
  };

  it('fails its task for good, naming what was refused, and harms no other ending', async () => {
    const bad = await queue.enqueue('bad');
    const good = [];
    for (let n = 0; n < 5; n++) good.push(await queue.enqueue('good'));
    const log = recordingLog();
    const report = await queue.tick(
      { bad: forgetHosts, good: enqueueing([{ kind: 'next' }]) },
      { log, concurrency: 6 },
    );
    expect(report).toMatchObject({ succeeded: 5, failed: 1, unwritten: 0 });
    const error =
      'Its follow-up tasks were not enqueued (mail, compile on *): host "*" finds no host: none has ticked in the last 7 days';
    expect(report.tasks).toContainEqual(
      expect.objectContaining({ id: bad, outcome: 'failed', state: 'failed', error }),
    );
    expect(await queue.task(bad)).toMatchObject({
      state: 'failed',
      reason: 'permanent error',
      last_error: error,
    });
    expect(await queue.attempts(bad)).toMatchObject([{ outcome: 'failed', error }]);
    expect(await countTasks('mail')).toBe(0);
    for (const id of good) {
      expect(await queue.task(id)).toMatchObject({ state: 'succeeded' });
      expect(await followUpsOf(id)).toEqual(['next']);
    }
  });

  it('keeps what the attempt proved, and the error it had', async () => {
    const [done, broken] = [await queue.enqueue('done'), await queue.enqueue('broken')];
    await queue.database.query('select 1');
    await queue.tick(
      {
        done: async (task) => {
          await forgetHosts(task);
          return { outcome: 'succeeded', evidence: { rows: 7 } };
        },
        broken: async (task) => {
          await queue.database.query('delete from tend.hosts');
          return await enqueueing([{ kind: 'compile', host: '*' }], {
            evenIfFailed: true,
            thrown: new Error('no luck'),
          })(task);
        },
      },
      { concurrency: 1 },
    );
    expect(await queue.attempts(done)).toMatchObject([{ outcome: 'failed', evidence: { rows: 7 } }]);
    expect(await queue.task(broken)).toMatchObject({
      ...{
        state: 'failed',
        last_error: expect.stringMatching(/^no luck\nIts follow-up tasks were not enqueued/),
      },
    });
  });

  it('is not blamed for evidence that cannot be stored', async () => {
    const id = await queue.enqueue('odd');
    await queue.tick({
      odd: async (task) => {
        task.enqueue({ kind: 'mail' });
        return { outcome: 'succeeded', evidence: { n: 1n } };
      },
    });
    expect(await queue.task(id)).toMatchObject({ state: 'succeeded' });
    expect(await followUpsOf(id)).toEqual(['mail']);
  });
});

describe.each<Cut>(['before', 'after'])('a connection that breaks %s the server finished a task', (where) => {
  it('leaves each follow-up there once', async () => {
    const ids = [await queue.enqueue('first'), await queue.enqueue('first')];
    await using proxy = await startDatabaseProxy(queue.database.connection);
    await using db = openDatabase({ connection: proxy.connection, applicationName: 'behind a proxy' });
    proxy.cut(where, 'enqueue_follow_ups');
    const report = await queue.tick(
      { first: enqueueing([{ kind: 'mail' }]) },
      { context: queue.context({ db }) },
    );
    expect(proxy.cuts).toBe(1);
    expect(report).toMatchObject({ succeeded: 2, unwritten: 0, lost: 0 });
    for (const id of ids) expect(await followUpsOf(id)).toEqual(['mail']);
  });
});
