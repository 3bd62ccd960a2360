import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ClaimedTask } from '../../src/tasks/claim-due-tasks.ts';
import { type AttemptEnding, finishAttempts } from '../../src/tasks/finish-attempts.ts';
import { reapLostTasks } from '../../src/tasks/reap-lost-tasks.ts';
import { createQueue, ending, type Queue } from './support/queue.ts';

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

async function finish(task: ClaimedTask, given: Partial<AttemptEnding> = {}) {
  const [finished] = await finishAttempts({ db: queue.db, endings: [{ task, ending: ending(given) }] });
  return finished?.state;
}

const retry = { outcome: 'failed', state: 'waiting', delayMs: 60_000, error: 'no luck' } as const;
const release = { outcome: 'released', state: 'waiting', isCounted: false, reason: 'given back' } as const;

describe('an ending', () => {
  it('moves the task and writes the attempt, in one statement', async () => {
    const task = await claimOne();
    expect(await finish(task, { evidence: { rows: 7 }, exitCode: 0, outputTail: 'done' })).toBe('succeeded');
    const row = await queue.task(task.id);
    expect(row).toMatchObject({
      ...{ state: 'succeeded', lease_owner: null, lease_token: null, lease_until: null, last_error: null },
    });
    expect(row.finished_at).not.toBeNull();
    expect(await queue.attempts(task.id)).toMatchObject([
      {
        ...{ attempt: 1, outcome: 'succeeded', exit_code: 0, output_tail: 'done', evidence: { rows: 7 } },
        ...{ owner: queue.worker.owner, token: task.token, started_at: task.startedAt },
      },
    ]);
  });

  it('to be tried again waits by the clock of the database, and keeps its error', async () => {
    const task = await claimOne();
    expect(await finish(task, retry)).toBe('waiting');
    const [row] = await queue.database.query(
      `select state, attempt, last_error, extract(epoch from run_at - now())::float8 as due_in from tend.tasks`,
    );
    expect(row).toMatchObject({ state: 'waiting', attempt: 1, last_error: 'no luck' });
    expect(row?.['due_in']).toBeGreaterThan(50);
    expect(row?.['due_in']).toBeLessThanOrEqual(60);
  });

  it('that was released or postponed does not count the attempt', async () => {
    const task = await claimOne();
    await finish(task, release);
    expect(await queue.task(task.id)).toMatchObject({ state: 'waiting', attempt: 0, reason: 'given back' });
    expect(await queue.attempts(task.id)).toMatchObject([{ attempt: 1, outcome: 'released' }]);
  });

  it('of a task that was never started leaves no attempt', async () => {
    const task = await claimOne();
    await finish(task, { ...release, isRecorded: false });
    expect(await queue.attempts(task.id)).toEqual([]);
    expect(await queue.claim()).toMatchObject([{ id: task.id, attempt: 1 }]);
  });

  it('written twice, because its acknowledgement was lost, is on record once and reported as before', async () => {
    const task = await claimOne();
    expect([await finish(task), await finish(task)]).toEqual(['succeeded', 'succeeded']);
    expect(await queue.attempts(task.id)).toHaveLength(1);
  });

  it('written again while the first statement is not committed yet is reported as written, not as lost', async () => {
    const task = await claimOne();
    // The server goes on with a statement whose client is gone, and the worker repeats it on another session.
    await using db = await queue.database.openDatabase();
    const { second } = await queue.db.transaction().execute(async (first) => {
      expect(await finishAttempts({ db: first, endings: [{ task, ending: ending() }] })).toHaveLength(1);
      const finishing = finishAttempts({ db, endings: [{ task, ending: ending() }] });
      await queue.untilBlocked();
      return { second: finishing };
    });
    expect(await second).toEqual([{ token: task.token, state: 'succeeded' }]);
    expect(await queue.attempts(task.id)).toHaveLength(1);
  });

  it('of many tasks is written in one statement, each on its own terms', async () => {
    for (let n = 0; n < 30; n++) await queue.enqueue('noop');
    const claimed = await queue.claim({ count: 30 });
    const endings = claimed.map((task, index) => ({ task, ending: ending(index % 3 === 0 ? retry : {}) }));
    const finished = await finishAttempts({ db: queue.db, endings });
    expect(finished.map(({ state }) => state).filter((state) => state === 'waiting')).toHaveLength(10);
    const counts = await queue.database.query(
      'select outcome, count(*)::int as count from tend.attempts group by 1 order by 1',
    );
    expect(counts).toEqual([
      { outcome: 'failed', count: 10 },
      { outcome: 'succeeded', count: 20 },
    ]);
  });

  it('with what a program may print is stored: NUL, lone surrogates, colour codes', async () => {
    const task = await claimOne();
    expect(await finish(task, { outputTail: 'a\0b \ud800 \u001b[31mred', error: '\0' })).toBe('succeeded');
    expect(await queue.attempts(task.id)).toMatchObject([
      { output_tail: 'a\u2400b \ufffd \u001b[31mred', error: '\u2400' },
    ]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 1e300])(
    'with a delay of %d ms waits, within a year',
    async (delayMs) => {
      const task = await claimOne();
      expect(await finish(task, { ...retry, delayMs })).toBe('waiting');
      const [row] = await queue.database.query(
        `select run_at between now() - interval '1 min' and now() + interval '367 days' as is_sane from tend.tasks`,
      );
      expect(row).toEqual({ is_sane: true });
    },
  );
});

describe('a late finisher', () => {
  it('whose lease was reaped must not overwrite or re-promote', async () => {
    const task = await claimOne();
    await queue.expire(task.id);
    await reapLostTasks({ db: queue.db, deadOwners: [] });
    const before = await queue.task(task.id);
    expect(await finish(task)).toBeNull();
    expect(await queue.task(task.id)).toEqual(before);
    expect(await queue.attempts(task.id)).toMatchObject([{ outcome: 'lost' }]);
  });

  it('whose task runs again elsewhere does not touch that run', async () => {
    const zombie = await claimOne();
    await queue.expire(zombie.id);
    await reapLostTasks({ db: queue.db, deadOwners: [] });
    await queue.database.query('update tend.tasks set run_at = now()');
    const [second] = await queue.claim();
    expect(await finish(zombie, { outcome: 'failed', state: 'failed' })).toBeNull();
    expect(await queue.task(zombie.id)).toMatchObject({ state: 'running', lease_token: second?.token });
  });

  it('whose task runs again in the same worker, and ends in the same statement, leaves no trace', async () => {
    const lost = await claimOne();
    await queue.expire(lost.id);
    await reapLostTasks({ db: queue.db, deadOwners: [] });
    await queue.database.query('update tend.tasks set run_at = now()');
    const [again] = await queue.claim();
    if (again === undefined) throw new Error('nothing was claimed');
    const endings = [
      { task: lost, ending: ending({ outcome: 'failed', state: 'failed', error: 'too late' }) },
      { task: again, ending: ending() },
    ];
    const finished = await finishAttempts({ db: queue.db, endings });
    expect(new Map(finished.map(({ token, state }) => [token, state]))).toEqual(
      new Map([
        [lost.token, null],
        [again.token, 'succeeded'],
      ]),
    );
    expect(await queue.attempts(lost.id)).toMatchObject([{ outcome: 'lost' }, { outcome: 'succeeded' }]);
  });

  it('whose task was deleted while it ran does not fail, and nothing comes back', async () => {
    const task = await claimOne();
    const other = await claimOne();
    await queue.database.query('delete from tend.tasks where id = $1', [task.id]);
    const endings = [task, other].map((one) => ({ task: one, ending: ending() }));
    const finished = await finishAttempts({ db: queue.db, endings }); // in no order
    expect(new Map(finished.map(({ token, state }) => [token, state]))).toEqual(
      new Map<string, string | null>([
        [task.token, null],
        [other.token, 'succeeded'],
      ]),
    );
    expect(await queue.attempts(task.id)).toEqual([]);
  });
});

describe('a cancel request that came after the last heartbeat', () => {
  it.each([
    ['failed and would be tried again', retry],
    ['was given back', release],
    ['was postponed', { outcome: 'postponed', state: 'waiting', isCounted: false }],
  ] as const)('cancels the task of an attempt that %s', async (_name, given) => {
    const task = await claimOne();
    await queue.database.query('select tend.cancel($1)', [task.id]);
    expect(await finish(task, given)).toBe('cancelled');
    const row = await queue.task(task.id);
    expect(row).toMatchObject({ state: 'cancelled', reason: 'cancel was requested' });
    expect(row.finished_at).not.toBeNull();
    expect(await queue.attempts(task.id)).toMatchObject([{ outcome: given.outcome }]);
  });

  it.each([
    ['succeeded', {}],
    ['failed', { outcome: 'failed', state: 'failed' }],
    ['held', { outcome: 'unknown', state: 'held', reason: 'outcome unknown' }],
  ] as const)('does not change that it has %s', async (state, given) => {
    const task = await claimOne();
    await queue.database.query('select tend.cancel($1)', [task.id]);
    expect(await finish(task, given)).toBe(state);
  });
});

describe('a task with a unique key that would wait again', () => {
  it('gives way to a newer one that waits', async () => {
    const task = await claimOne({ unique_key: 'k' });
    const newer = await queue.enqueue('noop', { unique_key: 'k' });
    expect(await finish(task, retry)).toBe('cancelled');
    expect(await queue.task(task.id)).toMatchObject({
      ...{ state: 'cancelled', reason: 'superseded by a newer task with the same unique key' },
    });
    expect(await queue.task(newer)).toMatchObject({ state: 'waiting' });
  });

  it('does so too when both are finished in one statement, and the others are not lost', async () => {
    const [first, second] = [await claimOne({ unique_key: 'k' }), await claimOne({ unique_key: 'k' })];
    const other = await claimOne();
    const endings = [first, second, other].map((task) => ({ task, ending: ending(retry) }));
    const finished = await finishAttempts({ db: queue.db, endings });
    const states = new Map(finished.map(({ token, state }) => [token, state]));
    expect([first, second, other].map(({ token }) => states.get(token))).toEqual([
      ...['waiting', 'cancelled', 'waiting'],
    ]);
  });

  it('does so too when the newer one comes at that very moment', async () => {
    const task = await claimOne({ unique_key: 'k' });
    const session = await queue.database.connect();
    await session.query(`begin; select tend.enqueue('noop', unique_key => 'k')`);
    const finishing = finish(task, retry);
    await queue.untilBlocked();
    await session.query('commit');
    await session.end();
    expect(await finishing).toBe('cancelled');
    expect(await queue.attempts(task.id)).toHaveLength(1);
  });

  it.each([
    ['a', 'b'],
    ['b', 'a'],
  ] as const)(
    'and its like, finished with it, do not end the transaction that takes %s and then %s',
    async (...keys) => {
      const tasks = [await claimOne({ unique_key: 'a' }), await claimOne({ unique_key: 'b' })];
      const endings = tasks.map((task) => ({ task, ending: ending(retry) }));
      await queue.duringEnqueues(keys, () => finishAttempts({ db: queue.db, endings }));
      expect(await queue.waitingKeys()).toEqual(['a', 'b']);
    },
  );
});
