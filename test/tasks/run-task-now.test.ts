import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { progressToLog, silentLog } from '../../src/log.ts';
import { runTaskNow } from '../../src/tasks/run-task-now.ts';
import { workerIdentity } from '../../src/tasks/worker-identity.ts';
import {
  createQueue,
  type FakeKind,
  fakeKinds,
  type Handler,
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

async function runNow(kind: Handler | FakeKind, signal = new AbortController().signal, lease = '60s') {
  const backup = fakeKinds({ backup: kind }).get('backup');
  if (backup === undefined) throw new Error('no kind');
  return await runTaskNow({
    ...{
      context: queue.context({ tasks: { lease } }),
      kind: backup,
      payload: { label: 'x' },
      worker: workerIdentity(host),
    },
    ...{ log: silentLog, signal, live: { log: silentLog, progress: progressToLog(silentLog) } },
  });
}

const onlyTask = async () => await queue.task(1);

describe('a task that a person runs now', () => {
  it('is a row like any other, with lease, history and evidence', async () => {
    let state = '';
    const result = await runNow(async () => {
      state = (await onlyTask()).state;
      return { outcome: 'succeeded', evidence: { id: 'b1' } };
    });
    expect([state, result]).toEqual(['running', { taskId: 1, evidence: { id: 'b1' } }]);
    expect(await onlyTask()).toMatchObject({ state: 'succeeded', attempt: 1, payload: { label: 'x' } });
    expect(await queue.attempts(1)).toMatchObject([{ outcome: 'succeeded', evidence: { id: 'b1' } }]);
  });

  it('that fails throws what its handler threw, and is not tried again by a tick', async () => {
    const thrown = new Error('disk full');
    await expect(runNow(() => Promise.reject(thrown))).rejects.toBe(thrown);
    expect(await onlyTask()).toMatchObject({ state: 'failed', last_error: 'disk full' });
    expect(await queue.tick({ backup: succeed })).toMatchObject({ isIdle: true });
  });

  it('that is interrupted is cancelled: no tick goes on with what a person stopped', async () => {
    const stop = new AbortController();
    const handler: Handler = async ({ signal }) => {
      setImmediate(() => stop.abort());
      await delay(60_000, undefined, { signal });
      return { outcome: 'succeeded' };
    };
    await expect(runNow(handler, stop.signal)).rejects.toThrow();
    expect(await onlyTask()).toMatchObject({ state: 'cancelled', reason: 'interrupted' });
    expect(await queue.tick({ backup: succeed })).toMatchObject({ isIdle: true });
  });

  it.each([
    [
      'whose lease another worker took',
      {
        code: 'LEASE_LOST',
        exitCode: 75,
        message: 'Task 1 (backup) was stopped: the lease was lost: the task was taken back.',
      },
      `update tend.tasks set lease_token = gen_random_uuid()`,
    ],
    [
      'that somebody cancels',
      { code: 'TASK_FAILED', exitCode: 1, message: 'Task 1 (backup) was stopped: cancel was requested.' },
      `select tend.cancel(1)`,
    ],
  ])('%s says so, whatever its handler makes of being stopped', async (_what, error, change) => {
    const handler: Handler = async ({ signal }) => {
      await queue.database.query(change);
      await delay(60_000, undefined, { signal }); // throws an AbortError
      return { outcome: 'succeeded' };
    };
    const ended = runNow(handler, undefined, '2s');
    await expect(ended).rejects.toMatchObject({ ...error, hint: 'tend tasks show 1' });
  });

  it('is not claimed by a tick meanwhile', async () => {
    const seen: number[] = [];
    await runNow(async () => {
      seen.push((await queue.tick({ backup: succeed })).succeeded);
      return { outcome: 'succeeded' };
    });
    expect(seen).toEqual([0]);
  });

  it('waits for nobody: a mutex that is held is named, with who holds it', async () => {
    const holder = await queue.enqueue('backup', { mutex: 'db' });
    await queue.claim({ kinds: ['backup'], worker: workerIdentity('web2') });
    await expect(runNow({ run: succeed, mutex: 'db' })).rejects.toMatchObject({
      ...{ code: 'MUTEX_BUSY', exitCode: 75 },
      message: expect.stringContaining(
        `mutex "db" is held by task ${holder} (backup) on web2:${process.pid} since`,
      ),
      hint: `Wait for it, or: tend tasks cancel ${holder}`,
    });
    expect(await queue.database.query('select from tend.tasks')).toHaveLength(1);
  });

  it('takes a mutex from a holder whose lease has ended', async () => {
    const holder = await queue.enqueue('backup', { mutex: 'db' });
    await queue.claim({ kinds: ['backup'], worker: workerIdentity('web2') });
    await queue.expire(holder);
    expect(await runNow({ run: succeed, mutex: 'db' })).toMatchObject({ taskId: expect.any(Number) });
    expect(await queue.task(holder)).toMatchObject({ state: 'waiting' });
  });

  it('and leaves what else that holder does alone, as far as its lease lasts', async () => {
    const worker = workerIdentity('web2');
    const holder = await queue.enqueue('backup', { mutex: 'db' });
    const other = await queue.enqueue('backup');
    await queue.claim({ kinds: ['backup'], worker, count: 2 });
    await queue.expire(holder);
    await runNow({ run: succeed, mutex: 'db' });
    expect(await queue.task(other)).toMatchObject({ state: 'running', lease_owner: worker.owner });
  });

  it.runIf(process.platform === 'linux')(
    'takes a mutex from a dead process of this host at once',
    async () => {
      const dead = {
        ...queue.worker,
        owner: queue.worker.owner.replace(/:\d+:([^:]+:)\d+:/, ':4194305:$11:'),
      };
      const holder = await queue.enqueue('backup', { mutex: 'db' });
      await queue.claim({ kinds: ['backup'], worker: dead });
      await runNow({ run: succeed, mutex: 'db' });
      expect(await queue.task(holder)).toMatchObject({ state: 'waiting' });
    },
  );
});
