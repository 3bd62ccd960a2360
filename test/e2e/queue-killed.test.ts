import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { markedProcesses } from '../processes/support/marked-processes.ts';
import { newMark } from '../processes/support/tool-call.ts';
import { createQueueSite, json, type QueueSite, scriptKind } from './queue-site.ts';

let site: QueueSite;

const long =
  'trap "" TERM; ( trap "" TERM; sleep 600 ) & echo x >> "started-$TEND_TASK_ID"; sleep 600; sleep 600';
const kinds = [
  '[tasks]\nlease = "60s"\ngrace = "10m"\n',
  scriptKind('retries', long, { env: ['MARK'] }),
  scriptKind('holds', long, { env: ['MARK'], on_lost: 'hold' }),
  scriptKind('once', long, { env: ['MARK'], max_attempts: 1 }),
  // The first time it lasts, the second time it is quick.
  scriptKind('slow-then-quick', `test -e "started-$TEND_TASK_ID" && exit 0; ${long}`, { env: ['MARK'] }),
].join('');
const elsewhere = { TEND_TASKS_HOST: 'elsewhere' };

beforeAll(async () => {
  site = await createQueueSite(kinds);
  await site.tend(['migrations', 'up']);
});
afterAll(async () => await site[Symbol.asyncDispose]());

/** A worker in the middle of a task, and the mark of the processes that work for it. */
async function workerOn(kind: string) {
  const mark = newMark();
  const id = await site.enqueue(kind);
  const worker = await site.start(['run-due-tasks', '--task', String(id)], { env: { MARK: mark } });
  await expect.poll(() => site.lines(`started-${id}`)).toEqual(['x']);
  return { id, worker, mark };
}

/** The same, killed: neither its children nor its sessions outlive it. */
async function killedWorkerOn(kind: string) {
  const { id, worker, mark } = await workerOn(kind);
  worker.child.kill('SIGKILL');
  expect(await worker.result).toMatchObject({ signal: 'SIGKILL' });
  await expect.poll(() => markedProcesses(mark)).toEqual([]);
  await expect.poll(() => site.sessions()).toEqual([]);
  return { id, pid: worker.pid };
}

const idleTick = ['run-due-tasks', '--kind', 'noop', '--json'];

describe('kill -9 of a worker in the middle of a task', () => {
  it('is seen at once by the next tick on this host: the attempt is lost, the task waits', async () => {
    const { id, pid } = await killedWorkerOn('retries');
    const tick = await site.tend(idleTick);
    expect(tick.exitCode).toBe(0);
    expect(json(tick)['reaped']).toMatchObject([{ id, attempt: 1, state: 'waiting' }]);
    expect(tick.stderr).toContain(`:${pid}; it is waiting now.`);
    expect(await site.task(id)).toMatchObject({ state: 'waiting', attempt: 1, lease_token: null });
    expect(await site.attempts(id)).toMatchObject([
      { attempt: 1, outcome: 'lost', error: expect.stringMatching(new RegExp(`^worker .*:${pid} died$`)) },
    ]);
  });

  it('is seen by another host when the lease ends, not before', async () => {
    const { id } = await killedWorkerOn('retries');
    expect(json(await site.tend(idleTick, { env: elsewhere }))['reaped']).toEqual([]);
    expect(await site.task(id)).toMatchObject({ state: 'running' });
    await site.database.query(`update tend.tasks set lease_until = now() - interval '1 ms' where id = $1`, [
      id,
    ]);
    const tick = await site.tend(idleTick, { env: elsewhere });
    expect(json(tick)['reaped']).toMatchObject([{ id, state: 'waiting' }]);
    expect(await site.attempts(id)).toMatchObject([
      { outcome: 'lost', error: expect.stringMatching(/let its lease expire$/) },
    ]);
  });

  it('with on_lost = "hold" waits for a person: exit code 3', async () => {
    const { id } = await killedWorkerOn('holds');
    const tick = await site.tend(idleTick);
    expect(tick.exitCode).toBe(3);
    expect(await site.task(id)).toMatchObject({
      state: 'held',
      reason: expect.stringMatching(/^lost: worker .* died, and on_lost = hold$/),
    });
    expect(await site.attempts(id)).toMatchObject([{ outcome: 'lost' }]);
  });

  it('without attempts left has failed: exit code 3', async () => {
    const { id } = await killedWorkerOn('once');
    expect((await site.tend(idleTick)).exitCode).toBe(3);
    expect(await site.task(id)).toMatchObject({ state: 'failed', reason: 'lost with no attempts left' });
  });

  it('after a cancel request is cancelled, not tried again', async () => {
    const { id, worker } = await workerOn('retries');
    await site.database.query('select tend.cancel($1)', [id]);
    worker.child.kill('SIGKILL');
    await worker.result;
    expect((await site.tend(idleTick)).exitCode).toBe(0);
    expect(await site.task(id)).toMatchObject({ state: 'cancelled', reason: 'cancel was requested' });
  });
});

describe('a worker that was frozen until its lease had ended', () => {
  it('stops its command at once and does not touch the task that another one has done meanwhile', async () => {
    await site.configure(kinds.replace('lease = "60s"', 'lease = "2s"'));
    const { id, worker, mark } = await workerOn('slow-then-quick');
    worker.child.kill('SIGSTOP');
    await site.database.query(`update tend.tasks set lease_until = now() - interval '1 ms' where id = $1`, [
      id,
    ]);
    expect(json(await site.tend(idleTick, { env: elsewhere }))['reaped']).toMatchObject([{ id, attempt: 1 }]);
    const other = await site.tend(['run-due-tasks', '--task', String(id), '--json'], { env: elsewhere });
    expect(json(other)).toMatchObject({ succeeded: 1 });

    const gone = once(worker.child, 'exit');
    worker.child.kill('SIGCONT');
    await gone;
    const { exitCode, stderr } = await worker.result;
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`Task ${id} (slow-then-quick) ended after its lease was lost`);
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
    expect(await site.task(id)).toMatchObject({ state: 'succeeded', attempt: 2 });
    expect(await site.attempts(id)).toMatchObject([
      { attempt: 1, outcome: 'lost' },
      { attempt: 2, outcome: 'succeeded' },
    ]);
    await site.configure(kinds);
  });
});
