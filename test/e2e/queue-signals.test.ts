import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { markedProcesses } from '../processes/support/marked-processes.ts';
import { newMark } from '../processes/support/tool-call.ts';
import { createQueueSite, json, type QueueSite, scriptKind } from './queue-site.ts';

let site: QueueSite;

const kinds = [
  '[tasks]\nlease = "60s"\ngrace = "1s"\nconcurrency = 1\n',
  // Told to stop, it finishes its work: the result must be on record.
  scriptKind('finishes', 'trap "echo finished; exit 0" TERM; touch started; while :; do sleep 0.02; done'),
  scriptKind('gives-up', 'trap "echo stopping; exit 1" TERM; touch started; while :; do sleep 0.02; done'),
  scriptKind('stubborn', 'trap "" TERM; ( trap "" TERM; sleep 600 ) & touch started; sleep 600; sleep 600', {
    env: ['MARK'],
  }),
  scriptKind('endless', 'trap "touch stopping" TERM; touch started; while :; do sleep 600 & wait; done', {
    env: ['MARK'],
  }),
].join('');

beforeAll(async () => {
  site = await createQueueSite(kinds);
  await site.tend(['migrations', 'up']);
});
afterAll(async () => await site[Symbol.asyncDispose]());

/** Starts a tick on one task of `kind` and others behind it, and sends `signal` as soon as the first one works. */
async function interrupt(
  kind: string,
  signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM',
  env: Record<string, string> = {},
) {
  const queue = `${kind}-${signal}`;
  const first = await site.enqueue(kind, {}, { queue, priority: -1 });
  const unstarted = [await site.enqueue('noop', {}, { queue }), await site.enqueue('noop', {}, { queue })];
  const tick = await site.start(['run-due-tasks', '--queue', queue, '--json'], { env });
  await appears('started');
  tick.child.kill(signal);
  return { first, unstarted, tick };
}

/** Waits for a file of the site's directory that a command makes, and takes it away. */
async function appears(name: string): Promise<void> {
  const take = () =>
    rm(join(site.path, name)).then(
      () => true,
      () => false,
    );
  await expect.poll(take).toBe(true);
}

describe('SIGTERM while a command runs', () => {
  it('lets it finish: the outcome is written before the exit, with 143', async () => {
    const { first, unstarted, tick } = await interrupt('finishes');
    const ended = await tick.result;
    expect(ended).toMatchObject({ exitCode: 143, signal: null });
    expect(ended.stderr).toContain('tend: Stopped by SIGTERM');
    expect(json(ended)).toMatchObject({ succeeded: 1, released: 0 });
    expect(await site.task(first)).toMatchObject({ state: 'succeeded', attempt: 1, lease_token: null });
    expect(await site.attempts(first)).toMatchObject([
      { outcome: 'succeeded', output_tail: expect.stringContaining('finished\n') },
    ]);
    for (const id of unstarted) expect(await site.task(id)).toMatchObject({ state: 'waiting', attempt: 0 });
    expect(await site.sessions()).toEqual([]);
  });

  it('gives back a command that stops without being done, and does not count the attempt', async () => {
    const { first, tick } = await interrupt('gives-up');
    const ended = await tick.result;
    expect(ended.exitCode).toBe(143);
    expect(json(ended)).toMatchObject({ released: 1, failed: 0, retried: 0 });
    expect(await site.task(first)).toMatchObject({
      state: 'waiting',
      attempt: 0,
      reason: 'given back: the worker was told to stop',
      last_error: null,
    });
    expect(await site.attempts(first)).toMatchObject([
      { outcome: 'released', attempt: 1, output_tail: expect.stringContaining('stopping\n') },
    ]);
    const due = await site.database.query('select run_at <= now() as due from tend.tasks where id = $1', [
      first,
    ]);
    expect(due).toEqual([{ due: true }]);
  });

  it('kills a command that ignores it after the grace period, with its family, and gives it back', async () => {
    const mark = newMark();
    const { first, tick } = await interrupt('stubborn', 'SIGTERM', { MARK: mark });
    const ended = await tick.result;
    expect(ended.exitCode).toBe(143);
    expect(await site.task(first)).toMatchObject({ state: 'waiting', attempt: 0, lease_token: null });
    expect(await site.attempts(first)).toMatchObject([{ outcome: 'released' }]);
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
    expect(await site.sessions()).toEqual([]);
  });

  it('a second time ends the process at once; its child dies with it', async () => {
    const mark = newMark();
    const { first, tick } = await interrupt('endless', 'SIGTERM', { MARK: mark, TEND_TASKS_GRACE: '10m' });
    await appears('stopping'); // it has the first signal, and is given ten minutes to go
    tick.child.kill('SIGTERM');
    expect(await tick.result).toMatchObject({ exitCode: 143, signal: null });
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
    await expect.poll(() => site.sessions()).toEqual([]);
    // Nothing was written any more: the next tick on this host finds the worker dead.
    expect(await site.task(first)).toMatchObject({ state: 'running', attempt: 1 });
    await site.tend(['run-due-tasks', '--kind', 'noop']);
    expect(await site.attempts(first)).toMatchObject([{ outcome: 'lost' }]);
  });
});

describe('SIGINT while a command runs', () => {
  it('does the same, with exit code 130', async () => {
    const { first, tick } = await interrupt('gives-up', 'SIGINT');
    const ended = await tick.result;
    expect(ended.exitCode).toBe(130);
    expect(await site.task(first)).toMatchObject({ state: 'waiting', attempt: 0 });
  });
});

describe('SIGTERM during a drain of many small tasks', () => {
  it('leaves every task either done with its attempt on record or waiting as if nothing had been', async () => {
    await site.database.query(`select tend.enqueue('noop', queue => 'many') from generate_series(1, 20000)`);
    const tick = await site.start(['run-due-tasks', '--queue', 'many', '--drain', '--json']);
    const done = `select count(*)::int as done from tend.tasks where queue = 'many' and state = 'succeeded'`;
    await expect
      .poll(async () => (await site.database.query<{ done: number }>(done))[0]?.done)
      .toBeGreaterThan(100);
    tick.child.kill('SIGTERM');
    const ended = await tick.result;
    expect(ended.exitCode).toBe(143);
    const counts = await site.database.query(`
      select t.state, t.attempt, count(distinct t.id)::int as tasks, count(a.task_id)::int as attempts
        from tend.tasks t left join tend.attempts a on a.task_id = t.id
       where t.queue = 'many' group by 1, 2 order by 1`);
    const succeeded = json(ended)['succeeded'];
    expect(counts).toEqual([
      { state: 'succeeded', attempt: 1, tasks: succeeded, attempts: succeeded },
      { state: 'waiting', attempt: 0, tasks: 20_000 - Number(succeeded), attempts: 0 },
    ]);
  });
});
