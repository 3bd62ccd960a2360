import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { finishAttempts } from '../../src/tasks/finish-attempts.ts';
import { type Decision, onlyDecision, resolveTask } from '../../src/tasks/resolve-task.ts';
import { createQueue, ending, type Queue } from './support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

async function held(args: Record<string, unknown> = {}): Promise<number> {
  const id = await queue.enqueue('noop', args);
  const endings = (await queue.claim()).map((task) => ({
    task,
    ending: ending({ outcome: 'unknown', state: 'held', reason: 'outcome unknown' }),
  }));
  await finishAttempts({ db: queue.db, endings });
  return id;
}

const resolve = async (id: number, decision: Decision) =>
  await resolveTask({ db: queue.db, id, decision, decidedBy: 'ann' });

describe('resolveTask', () => {
  it.each([
    ['done', 'succeeded'],
    ['drop', 'cancelled'],
  ] as const)('%s: the task has %s, by whose decision stays on the row', async (decision, state) => {
    const id = await held();
    expect(await resolve(id, decision)).toBe(state);
    const task = await queue.task(id);
    expect(task).toMatchObject({ state, reason: `resolved as "${decision}" by ann` });
    expect(task.finished_at).not.toBeNull();
  });

  it('retry: the task waits again, due now, with an attempt left whatever it had used', async () => {
    const id = await held({ max_attempts: 1, run_at: new Date(0) });
    expect(await resolve(id, 'retry')).toBe('waiting');
    expect(await queue.task(id)).toMatchObject({ state: 'waiting', finished_at: null, max_attempts: 2 });
    expect(await queue.claim()).toMatchObject([{ id, attempt: 2 }]);
  });

  it.each([
    ['done', 'sent'],
    ['retry', 'composed'],
    ['drop', 'refused'],
  ] as const)('%s: an ambiguous mail is %s', async (decision, state) => {
    const id = await held();
    await queue.database.query(
      `insert into tend.deliveries (task_id, message_id, envelope_from, recipients, raw, state, committing_at)
       values ($1, 'm', 'a@b', '[]', 'x', 'committing', now())`,
      [id],
    );
    await resolve(id, decision);
    expect(await queue.database.query('select state, committing_at from tend.deliveries')).toEqual([
      { state, committing_at: null },
    ]);
  });

  it('done: an ambiguous mail that the server had refused for some is partly sent', async () => {
    const id = await held();
    const recipients = [
      { address: 'a@x.test', status: 'waiting' },
      { address: 'b@x.test', status: 'refused' },
    ];
    await queue.database.query(
      `insert into tend.deliveries (task_id, message_id, envelope_from, recipients, raw, state)
       values ($1, 'm', 'a@b', $2, 'x', 'unknown')`,
      [id, JSON.stringify(recipients)],
    );
    await resolve(id, 'done');
    expect(await queue.database.query('select state from tend.deliveries')).toEqual([
      { state: 'partly-sent' },
    ]);
  });

  it('refuses a task that is not held, and says what it is', async () => {
    const id = await queue.enqueue('noop');
    await expect(resolve(id, 'done')).rejects.toMatchObject({
      ...{ code: 'TASK_STATE_CONFLICT', message: `Task ${id} cannot be resolved: it is waiting, not held.` },
    });
    await queue.claim();
    await expect(resolve(id, 'retry')).rejects.toThrow('it is running, not held');
  });

  it('refuses to retry one whose unique key waits already', async () => {
    const id = await held({ unique_key: 'k' });
    await queue.enqueue('noop', { unique_key: 'k' });
    await expect(resolve(id, 'retry')).rejects.toThrow('another task with its unique key "k" is waiting');
    expect(await resolve(id, 'drop')).toBe('cancelled');
  });

  it('refuses so too where a newer one comes at that very moment', async () => {
    const id = await held({ unique_key: 'k' });
    const session = await queue.database.connect();
    await session.query(`begin; select tend.enqueue('noop', unique_key => 'k')`);
    const resolving = resolve(id, 'retry');
    resolving.catch(() => {});
    await queue.untilBlocked();
    await session.query('commit');
    await session.end();
    await expect(resolving).rejects.toThrow('another task with its unique key "k" is waiting');
    expect(await queue.task(id)).toMatchObject({ state: 'held' });
  });

  it('refuses what is not there', async () => {
    await expect(resolve(4711, 'done')).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });

  it('by two at once is decided once', async () => {
    const id = await held();
    const results = await Promise.allSettled([resolve(id, 'done'), resolve(id, 'drop')]);
    expect(results.map(({ status }) => status).filter((status) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('onlyDecision', () => {
  it.each(['done', 'retry', 'drop'] as const)('takes --%s alone', (decision) => {
    expect(onlyDecision({ done: false, retry: false, drop: false, [decision]: true })).toBe(decision);
  });

  it.each([
    { done: false, retry: false, drop: false },
    { done: true, retry: true, drop: false },
  ])('refuses %o', (given) => {
    expect(() => onlyDecision(given)).toThrow('Say exactly one of');
  });
});
