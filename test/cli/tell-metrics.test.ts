import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createQueueSite, type QueueSite } from '../e2e/queue-site.ts';

const metrics = async (site: QueueSite) => await readFile(join(site.path, 'metrics/tend.prom'), 'utf8');

async function siteWithMetrics(): Promise<QueueSite> {
  const site = await createQueueSite();
  await mkdir(join(site.path, 'metrics'));
  await site.configure('[monitor]\nmetrics_file = "metrics/tend.prom"\n');
  return site;
}

it('a tick that does not reach the database tells its exit code and time, and leaves the figures with theirs', async () => {
  await using site = await siteWithMetrics();
  expect((await site.command(['run-due-tasks'])).exitCode).toBe(0);
  const before = await metrics(site);
  expect(before).toContain('\ntend_last_tick_exit_code 0\n');
  const down = await site.tend(['run-due-tasks'], {
    env: { TEND_DATABASE_URL: 'postgresql://x@127.0.0.1:1/x' },
  });
  expect(down.exitCode).toBe(69);
  const after = await metrics(site);
  expect(after).toContain('\ntend_last_tick_exit_code 69\n');
  const queueTime = /^tend_queue_timestamp_seconds .*$/m;
  expect(queueTime.exec(after)?.[0]).toBe(queueTime.exec(before)?.[0]);
  const tickTime = /^tend_last_tick_timestamp_seconds (.*)$/m;
  expect(Number(tickTime.exec(after)?.[1])).toBeGreaterThan(Number(tickTime.exec(before)?.[1]));
  expect(await readdir(join(site.path, 'metrics'))).toEqual(['tend.prom']);
});

it('a metrics file that cannot be written is a warning, and changes neither exit code nor error of a tick', async () => {
  await using site = await siteWithMetrics();
  await site.configure('[monitor]\nmetrics_file = "nowhere/tend.prom"\n');
  const good = await site.command(['run-due-tasks']);
  expect(good).toMatchObject({
    exitCode: 0,
    stderr: expect.stringMatching(/^warning: The metrics file .* was not written/),
  });
  const bad = await site.command(['run-due-tasks'], { TEND_DATABASE_URL: 'postgresql://x@127.0.0.1:1/x' });
  expect(bad).toMatchObject({ exitCode: 69, stderr: expect.stringContaining('cannot be reached') });
  expect(bad.stderr).toContain('was not written');
});

it('running one task by hand is no tick, and tells nothing', async () => {
  await using site = await siteWithMetrics();
  const id = await site.enqueue('noop');
  expect((await site.command(['run-due-tasks', '--task', String(id)])).exitCode).toBe(0);
  expect(await readdir(join(site.path, 'metrics'))).toEqual([]);
});
