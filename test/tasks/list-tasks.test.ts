import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { finishAttempts } from '../../src/tasks/finish-attempts.ts';
import { listTasks } from '../../src/tasks/list-tasks.ts';
import { createQueue, ending, type Queue } from './support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

async function list(given: Partial<Parameters<typeof listTasks>[0]> = {}) {
  return await listTasks({ db: queue.db, states: [], kinds: [], limit: 100, ...given });
}
const idsOf = async (given: Parameters<typeof list>[0]) => (await list(given)).tasks.map(({ id }) => id);

describe('listTasks', () => {
  it('shows tasks newest first, without payload and lease token', async () => {
    const ids = [await queue.enqueue('noop', { payload: { secret: 'x' } }), await queue.enqueue('noop')];
    const { tasks, isCut } = await list();
    expect(isCut).toBe(false);
    expect(tasks.map(({ id }) => id)).toEqual(ids.toReversed());
    expect(Object.keys(tasks[0] ?? {}).toSorted((a, b) => a.localeCompare(b))).toEqual([
      ...[
        'attempt',
        'createdAt',
        'createdBy',
        'enqueuedBy',
        'fanOut',
        'finishedAt',
        'host',
        'id',
        'isCancelRequested',
        'kind',
        'lastError',
      ],
      ...['leaseUntil', 'maxAttempts', 'mutex', 'priority', 'queue', 'reason', 'runAt', 'schedule', 'slotAt'],
      ...['startedAt', 'state', 'uniqueKey', 'worker'],
    ]);
  });

  it('filters by state and kind', async () => {
    const waiting = await queue.enqueue('noop');
    const running = await queue.enqueue('other');
    await queue.claim({ kinds: ['other'] });
    expect(await idsOf({ states: ['running'] })).toEqual([running]);
    expect(await idsOf({ states: ['running', 'waiting'] })).toEqual([running, waiting]);
    expect(await idsOf({ kinds: ['noop'] })).toEqual([waiting]);
    expect(await idsOf({ kinds: ['noop'], states: ['failed'] })).toEqual([]);
  });

  it('filters by when something last happened', async () => {
    const [old, restarted, ended] = [
      await queue.enqueue('noop'),
      await queue.enqueue('noop'),
      await queue.enqueue('noop'),
    ];
    await queue.database.query(`update tend.tasks set created_at = now() - interval '2 days'`);
    await queue.database.query(`update tend.tasks set started_at = now() where id = $1`, [restarted]);
    await queue.database.query(`update tend.tasks set state = 'failed', finished_at = now() where id = $1`, [
      ended,
    ]);
    expect(await idsOf({ since: new Date(Date.now() - 3_600_000) })).toEqual([ended, restarted]);
    expect(await idsOf({ since: new Date(Date.now() - 3 * 86_400_000) })).toEqual([ended, restarted, old]);
  });

  it('says when there are more than the limit', async () => {
    for (let n = 0; n < 4; n++) await queue.enqueue('noop');
    expect(await list({ limit: 4 })).toMatchObject({ isCut: false });
    const cut = await list({ limit: 3 });
    expect([cut.tasks.length, cut.isCut]).toEqual([3, true]);
  });
});

describe('showTask', () => {
  it('shows the payload and every attempt, the running one last', async () => {
    const { showTask } = await import('../../src/tasks/show-task.ts');
    const id = await queue.enqueue('noop', { payload: { a: 1 } });
    const claimed = await queue.claim();
    const failure = ending({
      outcome: 'failed',
      state: 'waiting',
      error: 'no luck',
      exitCode: 3,
      outputTail: 'bye',
    });
    await finishAttempts({ db: queue.db, endings: claimed.map((task) => ({ task, ending: failure })) });
    await queue.claim();
    const worker = `testhost:${process.pid}`;
    const shown = await showTask({ db: queue.db, id });
    expect(shown).toMatchObject({ id, state: 'running', worker, payload: { a: 1 } });
    expect(shown.attempts).toMatchObject([
      { attempt: 1, outcome: 'failed', error: 'no luck', exitCode: 3, outputTail: 'bye', worker },
      { attempt: 2, outcome: 'running', finishedAt: null, worker },
    ]);
  });

  it('names the task that is not there', async () => {
    const { showTask } = await import('../../src/tasks/show-task.ts');
    await expect(showTask({ db: queue.db, id: 4711 })).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });
});
