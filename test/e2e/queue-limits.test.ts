import { afterAll, beforeAll, expect, it } from 'vitest';
import { createQueueSite, json, type QueueSite, scriptKind } from './queue-site.ts';

let site: QueueSite;

const kinds = [
  scriptKind('slow', 'echo x >> started; test "$TEND_TASK_ID" = 1 && sleep 600; exit 0'),
  '[tasks.limits]\nslow = 1\n',
].join('');

beforeAll(async () => {
  site = await createQueueSite(kinds);
  await site.tend(['migrations', 'up']);
});
afterAll(async () => await site[Symbol.asyncDispose]());

const limits = 'select kind, max_running from tend.kinds where max_running is not null';

it('kill -9 of a worker frees the place that its task took, for the next tick on this host', async () => {
  const first = await site.enqueue('slow', {}, { max_attempts: 1 });
  const second = await site.enqueue('slow');
  const worker = await site.start(['run-due-tasks']);
  await expect.poll(() => site.lines('started')).toEqual(['x']);

  // Another host waits for the place, and says so.
  const elsewhere = { env: { TEND_TASKS_HOST: 'elsewhere' } };
  expect(json(await site.tend(['run-due-tasks', '--json'], elsewhere))).toMatchObject({ succeeded: 0 });
  const { stdout } = await site.tend(['tasks', 'explain', String(second)]);
  expect(stdout).toContain('x 1 of at most 1 of kind "slow" run ([tasks.limits])');
  const plan = await site.tend(['run-due-tasks', '--dry-run', '--json'], elsewhere);
  expect(json(plan)['due']).toMatchObject([{ id: second, blockedBy: 'limit' }]);

  worker.child.kill('SIGKILL');
  await worker.result;
  const tick = json(await site.tend(['run-due-tasks', '--json']));
  expect(tick).toMatchObject({ reaped: [{ id: first, state: 'failed' }], succeeded: 1 });
  expect(await site.task(second)).toMatchObject({ state: 'succeeded', attempt: 1 });
});

it('the next tick of a host whose tend.toml has another limit brings it to all', async () => {
  await site.tend(['run-due-tasks']);
  expect(await site.database.query(limits)).toEqual([{ kind: 'slow', max_running: 1 }]);
  await site.configure(`${kinds}noop = 3\n`.replace('slow = 1', 'slow = 7'));
  await site.tend(['run-due-tasks']);
  expect(await site.database.query(`${limits} order by kind`)).toEqual([
    { kind: 'noop', max_running: 3 },
    { kind: 'slow', max_running: 7 },
  ]);
  await site.configure(kinds.replace('slow = 1\n', ''));
  await site.tend(['run-due-tasks']);
  expect(await site.database.query(limits)).toEqual([]);
});
