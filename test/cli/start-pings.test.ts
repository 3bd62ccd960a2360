import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

it('a restore is told of with its exit code; one that only shows what it would do is not', async () => {
  await using service = await startService(200);
  await using site = await createQueueSite();
  await site.configure(`[backup]\ndirectory = "backups"\n[monitor.pings]\nrestore = "${service.url}"\n`);
  expect((await site.command(['backup'])).exitCode).toBe(0);
  const into = `t_${randomBytes(6).toString('hex')}`;
  for (const preview of [[], ['--into', into], ['--in-place']]) {
    const { exitCode } = await site.command(['restore', 'latest', '--dry-run', ...preview]);
    expect({ preview, exitCode }).toEqual({ preview, exitCode: 0 });
  }
  expect(service.pings).toEqual([]);
  try {
    expect((await site.command(['restore', 'latest', '--into', into])).exitCode).toBe(0);
    await service.arrived(1);
    expect(service.pings.at(-1)?.path).toBe('/secret-check/0');
    expect((await site.command(['restore', 'latest', '--into', into])).exitCode).toBe(1);
    expect(service.pings.at(-1)?.path).toBe('/secret-check/1');
  } finally {
    await site.database.query(`drop database if exists ${into}`);
  }
});

it('a compilation is told of; one that only checks is not', async () => {
  await using service = await startService(200);
  await using site = await createQueueSite();
  await site.configure(`[monitor.pings]\ncompile-translations = "${service.url}"\n`);
  await mkdir(join(site.path, 'pl/LC_MESSAGES'), { recursive: true });
  await writeFile(join(site.path, 'pl/LC_MESSAGES/cms.po'), 'msgid "a"\nmsgstr "b"\n');
  const env = { HOME: site.path }; // where the set before is kept
  await site.command(['compile-translations', '--check'], env);
  expect(service.pings).toEqual([]);
  const { exitCode } = await site.command(['compile-translations'], env);
  await service.arrived(1);
  expect(service.pings.at(-1)?.path).toBe(`/secret-check/${exitCode}`);
});
