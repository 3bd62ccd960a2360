import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createQueueSite, json, type QueueSite } from '../e2e/queue-site.ts';

let site: QueueSite;
beforeAll(async () => {
  site = await createQueueSite('[tasks]\nhost = "web1"\n');
  await site.tend(['migrations', 'up']);
});
afterAll(async () => await site[Symbol.asyncDispose]());
const read = async (name: string) => await readFile(join(site.path, name), 'utf8');

it('writes the page of a new database, silently, beside tend.toml', async () => {
  const result = await site.tend(['status', '--html', 'status.html']);
  expect(result).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  const page = await read('status.html');
  expect(page).toMatch(/^<!doctype html>/);
  expect(page).toContain('no tick has ever run');
  expect(page).not.toMatch(/NaN|Infinity|undefined|<script/);
  expect(await readdir(site.path)).toEqual(expect.arrayContaining(['status.html', 'tend.toml']));
});

it('shows what an application wrote as text and never as markup', async () => {
  const hostile = `<script>alert(1)</script>`;
  await site.database.query(`insert into tend.hosts (host, last_worker, last_busy_at, last_outcome)
    values ('web1', 'web1:1:::', now(), '${hostile}')`);
  await site.database.query(
    `insert into tend.pauses (scope, name, reason) values ('queue', 'media', '${hostile}')`,
  );
  await site.database.query(`insert into tend.mail_servers (name, settings_fingerprint, failing_since, failures,
    failure_class, reason) values ('relay', 'x', now() - interval '1 hour', 3, 'server', '${hostile}')`);
  await site.database.query(`insert into tend.schedules (name, source, cron, kind, enabled, disabled_reason)
    values ('b', 'sql', '0 4 * * *', 'noop', false, '${hostile}')`);
  const result = await site.command(['status', '--html', 'status.html', '--check', '--json']);
  expect(result.exitCode).toBe(4);
  expect(json(result)).toMatchObject({
    ...{ html: join(site.path, 'status.html'), isOk: false },
    mail: { failingServers: [{ name: 'relay', failures: 3, reason: hostile }] },
  });
  const page = await read('status.html');
  expect(page).not.toContain('<script');
  expect(page.split('&lt;script&gt;alert(1)').length).toBeGreaterThanOrEqual(6);
});

it('is exit code 73 where the page cannot be written', async () => {
  const { exitCode, stderr } = await site.command(['status', '--html', 'missing/status.html']);
  expect(exitCode).toBe(73);
  expect(stderr).toMatch(/"[^"]*\/missing\/status\.html" cannot be written: ENOENT/);
});
