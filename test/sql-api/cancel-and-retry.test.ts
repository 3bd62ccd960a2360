import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { finishAttempts } from '../../src/tasks/finish-attempts.ts';
import { createQueue, ending, type Queue } from '../tasks/support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

async function call(name: 'cancel' | 'retry' | 'task', id: number): Promise<unknown> {
  const rows = await queue.database.query<{ result: unknown }>(`select tend.${name}($1) as result`, [id]);
  return rows[0]?.result;
}

async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return await promise.then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );
}

/** A task that ended this way at its first attempt. */
async function ended(
  given: Parameters<typeof ending>[0],
  args: Record<string, unknown> = {},
): Promise<number> {
  const id = await queue.enqueue('noop', args);
  const claimed = await queue.claim();
  await finishAttempts({ db: queue.db, endings: claimed.map((task) => ({ task, ending: ending(given) })) });
  return id;
}

const failed = { outcome: 'failed', state: 'failed', error: 'no luck' } as const;
const held = { outcome: 'unknown', state: 'held', reason: 'outcome unknown' } as const;

describe('tend.cancel', () => {
  it('cancels a waiting task and says by whom', async () => {
    const id = await queue.enqueue('noop');
    expect(await call('cancel', id)).toBe('cancelled');
    const task = await queue.task(id);
    expect(task).toMatchObject({ state: 'cancelled', reason: 'cancelled by tend_test' });
    expect(task.finished_at).not.toBeNull();
    expect(await queue.claim()).toEqual([]);
  });

  it('asks for the end of a running one, and keeps the time of the first asking', async () => {
    const id = await queue.enqueue('noop');
    await queue.claim();
    expect(await call('cancel', id)).toBe('requested');
    const first = (await queue.task(id)).cancel_requested_at;
    expect(await call('cancel', id)).toBe('requested');
    expect(await queue.task(id)).toMatchObject({ state: 'running', cancel_requested_at: first });
  });

  it('cancels a held one', async () => {
    const id = await ended(held);
    expect(await call('cancel', id)).toBe('cancelled');
    expect(await queue.task(id)).toMatchObject({ state: 'cancelled' });
  });

  it.each([
    ['succeeded', {}],
    ['failed', failed],
    ['cancelled', { outcome: 'cancelled', state: 'cancelled' }],
  ] as const)('leaves a %s one as it is', async (state, given) => {
    const id = await ended(given);
    const before = await queue.task(id);
    expect(await call('cancel', id)).toBe('unchanged');
    expect(await queue.task(id)).toEqual({ ...before, state });
  });

  it('fails with P0002 where there is no such task', async () => {
    expect(await codeOf(call('cancel', 4711))).toBe('P0002');
  });

  it('racing a claim: the task is cancelled, or it runs and its worker is asked', async () => {
    for (let round = 0; round < 10; round++) {
      const id = await queue.enqueue('noop');
      const [claimed, result] = await Promise.all([queue.claim(), call('cancel', id)]);
      const task = await queue.task(id);
      if (result === 'cancelled') expect([claimed, task.state]).toEqual([[], 'cancelled']);
      else {
        expect([result, claimed.length, task.state]).toEqual(['requested', 1, 'running']);
        expect(task.cancel_requested_at).not.toBeNull();
      }
    }
  });
});

describe('tend.retry', () => {
  it('lets a failed task wait again: due now, fresh attempts, its creation and history kept', async () => {
    const id = await ended(failed, { max_attempts: 1, run_at: new Date(Date.now() - 3_600_000) });
    const before = await queue.task(id);
    expect(await call('retry', id)).toBe('waiting');
    const task = await queue.task(id);
    expect(task).toMatchObject({
      ...{ state: 'waiting', finished_at: null, reason: null, cancel_requested_at: null, started_at: null },
      ...{ created_at: before.created_at, attempt: 1, max_attempts: 2 },
    });
    expect(task.run_at.getTime()).toBeGreaterThan(before.run_at.getTime());
    expect(await queue.attempts(id)).toHaveLength(1);
    expect(await queue.claim()).toMatchObject([{ id, attempt: 2 }]);
  });

  it('of a finished task clears what retention goes by, so that it is not pruned while it waits', async () => {
    const id = await ended(failed);
    await queue.database.query(`update tend.tasks set finished_at = now() - interval '1 year'`);
    await call('retry', id);
    expect(await queue.task(id)).toMatchObject({ state: 'waiting', finished_at: null });
  });

  it('lets a cancelled task wait again', async () => {
    const id = await queue.enqueue('noop');
    await call('cancel', id);
    expect(await call('retry', id)).toBe('waiting');
    expect(await queue.claim()).toHaveLength(1);
  });

  it('lets a missed task wait again', async () => {
    const id = await queue.enqueue('noop');
    await queue.database.query(`update tend.tasks set state = 'missed', finished_at = now()`);
    expect(await call('retry', id)).toBe('waiting');
  });

  it('leaves a waiting and a running one as they are', async () => {
    const id = await queue.enqueue('noop');
    expect(await call('retry', id)).toBe('unchanged');
    await queue.claim();
    expect(await call('retry', id)).toBe('unchanged');
  });

  it('refuses a held one: a person decides, and the hint says how', async () => {
    const id = await ended(held);
    const error = await call('retry', id).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: '55000', hint: expect.stringContaining(`tend tasks resolve ${id}`) });
    expect(await queue.task(id)).toMatchObject({ state: 'held' });
  });

  it('refuses a succeeded one', async () => {
    expect(await codeOf(call('retry', await ended({})))).toBe('55000');
  });

  it('refuses one whose unique key waits already', async () => {
    const id = await ended(failed, { unique_key: 'k' });
    await queue.enqueue('noop', { unique_key: 'k' });
    expect(await codeOf(call('retry', id))).toBe('55000');
    expect(await queue.task(id)).toMatchObject({ state: 'failed' });
  });

  it('fails with P0002 where there is no such task', async () => {
    expect(await codeOf(call('retry', 4711))).toBe('P0002');
  });
});

describe('tend.task', () => {
  it('shows the row with its attempts, and no lease token', async () => {
    const id = await ended({ ...failed, exitCode: 3, outputTail: 'last words', evidence: { rows: 7 } });
    const shown = await call('task', id);
    expect(shown).toMatchObject({
      ...{ id, kind: 'noop', state: 'failed', payload: {} },
      attempts: [
        { attempt: 1, outcome: 'failed', exit_code: 3, output_tail: 'last words', evidence: { rows: 7 } },
      ],
    });
    expect(JSON.stringify(shown)).not.toContain('token');
  });

  it('is null where there is no such task', async () => {
    expect(await call('task', 4711)).toBeNull();
  });
});
