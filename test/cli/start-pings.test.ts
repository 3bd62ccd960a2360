import { expect, it } from 'vitest';
import { createQueueSite } from '../e2e/queue-site.ts';
import { startService } from '../monitoring/support/ping-service.ts';

it('a tick is told of with its exit code; one that only shows what it would do, or runs one task, is not', async () => {
  await using service = await startService(200);
  await using site = await createQueueSite();
  await site.configure(`[monitor]\nping_url = "${service.url}"\n`);
  const id = await site.enqueue('noop');
  await site.command(['run-due-tasks', '--dry-run']);
  await site.command(['run-due-tasks', '--task', String(id)]);
  expect(service.pings).toEqual([]);
  expect((await site.command(['run-due-tasks'])).exitCode).toBe(0);
  await service.arrived(1);
  expect(service.pings.at(-1)?.path).toBe('/secret-check/0');
});
