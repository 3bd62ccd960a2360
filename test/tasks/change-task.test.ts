import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { cancelTask, retryTask } from '../../src/tasks/change-task.ts';
import { enqueueTask } from '../../src/tasks/enqueue-task.ts';
import { findFailedTasks } from '../../src/tasks/find-failed-tasks.ts';
import { finishAttempts } from '../../src/tasks/finish-attempts.ts';
import { createQueue, ending, type Queue } from './support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

async function failed(kind = 'noop'): Promise<number> {
  const id = await queue.enqueue(kind);
  const endings = (await queue.claim({ kinds: [kind] })).map((task) => ({
    task,
    ending: ending({ outcome: 'failed', state: 'failed' }),
  }));
  await finishAttempts({ db: queue.db, endings });
  return id;
}

it('cancels a waiting task, asks for the end of a running one, and leaves an ended one', async () => {
  const id = await queue.enqueue('noop');
  const other = await queue.enqueue('other');
  await queue.claim({ kinds: ['other'] });
  expect(await cancelTask({ db: queue.db, id })).toBe('cancelled');
  expect(await cancelTask({ db: queue.db, id })).toBe('unchanged');
  expect(await cancelTask({ db: queue.db, id: other })).toBe('requested');
});

it('lets a failed task wait again', async () => {
  const id = await failed();
  expect(await retryTask({ db: queue.db, id })).toBe('waiting');
  expect(await retryTask({ db: queue.db, id })).toBe('unchanged');
});

it('names the task that is not there', async () => {
  for (const change of [cancelTask, retryTask]) {
    await expect(change({ db: queue.db, id: 4711 })).rejects.toMatchObject({
      ...{ code: 'TASK_NOT_FOUND', message: 'There is no task 4711.', exitCode: 66 },
    });
  }
});

it('says why a task cannot be retried, and what to do', async () => {
  const id = await failed();
  await queue.database.query(`update tend.tasks set state = 'succeeded'`);
  await expect(retryTask({ db: queue.db, id })).rejects.toMatchObject({
    ...{
      code: 'TASK_STATE_CONFLICT',
      message: `Task ${id} has succeeded.`,
      hint: 'Enqueue it anew to run it again.',
    },
  });
  await queue.database.query(`update tend.tasks set state = 'held', reason = 'r', finished_at = null`);
  await expect(retryTask({ db: queue.db, id })).rejects.toMatchObject({
    message: `Task ${id} is held (r): a person decides about it.`,
  });
});

it('says so too where a newer task with its unique key comes at that very moment', async () => {
  const id = await queue.enqueue('noop', { unique_key: 'k' });
  await queue.database.query('select tend.cancel($1)', [id]);
  const session = await queue.database.connect();
  await session.query(`begin; select tend.enqueue('noop', unique_key => 'k')`);
  const retrying = retryTask({ db: queue.db, id });
  retrying.catch(() => {});
  await queue.untilBlocked();
  await session.query('commit');
  await session.end();
  await expect(retrying).rejects.toThrow('with the same unique key "k" is already waiting');
  expect(await queue.task(id)).toMatchObject({ state: 'cancelled' });
});

it('finds failed tasks by kind and age', async () => {
  const [old, young, other] = [await failed(), await failed(), await failed('other')];
  await queue.database.query(`update tend.tasks set finished_at = now() - interval '2 h' where id = $1`, [
    old,
  ]);
  await queue.enqueue('noop');
  const { db } = queue;
  expect(await findFailedTasks({ db })).toEqual([old, young, other]);
  expect(await findFailedTasks({ db, withinMs: 3_600_000 })).toEqual([young, other]);
  expect(await findFailedTasks({ db, kind: 'noop', withinMs: 3_600_000 })).toEqual([young]);
});

it('enqueues with everything an application can say, due by the clock of the database', async () => {
  const id = await enqueueTask({
    ...{ db: queue.db, kind: 'noop', payload: { text: 'ż' }, delayMs: 90_500, queue: 'slow', priority: -3 },
    ...{ uniqueKey: 'k', mutex: 'm', host: 'web1', maxAttempts: 7 },
  });
  const task = await queue.task(id);
  expect(task).toMatchObject({
    ...{ kind: 'noop', payload: { text: 'ż' }, queue: 'slow', priority: -3 },
    ...{ unique_key: 'k', mutex: 'm', host: 'web1', max_attempts: 7 },
  });
  expect(Number(task.run_at) - Number(task.created_at)).toBe(90_500);
});

it.each([
  [{ kind: 'No Kind' }, 'Not enqueued: "No Kind" cannot be a kind'],
  [{ payload: { nul: 'a\0b' } }, 'unsupported Unicode escape sequence'],
  [{ priority: 99_999 }, 'priority 99999 is out of range'],
  [{ host: '*' }, 'none has ticked in the last 7 days'],
])('refuses %j as bad data', async (given, message) => {
  const enqueuing = enqueueTask({ db: queue.db, kind: 'noop', payload: {}, ...given });
  await expect(enqueuing).rejects.toMatchObject({ code: 'PAYLOAD_INVALID', exitCode: 65 });
  await expect(enqueuing).rejects.toThrow(message);
});
