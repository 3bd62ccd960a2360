import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createQueueSite, json, type QueueSite } from './queue-site.ts';

let site: QueueSite;

/** The application is healthy unless there is a file `broken`; its restart removes it, unless told not to. */
function toml(heal: string, restart = 'echo restarted >> restarts; rm -f broken'): string {
  return `[tasks]
host = "web1"
[app]
restart = ["/bin/sh", "-c", ${JSON.stringify(restart)}]
check = { command = ["/bin/sh", "-c", "! test -e broken"], within = "100ms" }
${heal}
[mail]
url = "eml:mails"
from = "tend <tend@example.org>"
`;
}

const healing = 'heal = { after = 3, max_restarts = 2, mail_to = ["ops@example.org"] }';

beforeAll(async () => {
  site = await createQueueSite();
  await site.tend(['migrations', 'up']);
});
afterAll(async () => await site[Symbol.asyncDispose]());
beforeEach(async () => {
  await site.configure(toml(healing));
  await site.database.query('truncate tend.tasks, tend.deliveries, tend.app_health');
  for (const name of ['broken', 'restarts', 'mails'])
    await rm(join(site.path, name), { recursive: true, force: true });
});

async function breakIt(): Promise<void> {
  await writeFile(join(site.path, 'broken'), '');
}

/** One check as a schedule enqueues it, with all that follows from it; the state of the check. */
async function check(): Promise<unknown> {
  const id = await site.enqueue('check-app');
  await site.tend(['run-due-tasks', '--drain']);
  return (await site.task(id)).state;
}

async function subjects(): Promise<string[]> {
  const directory = join(site.path, 'mails');
  const names = await readdir(directory).catch(() => []);
  const mails = await Promise.all(names.map(async (name) => await readFile(join(directory, name), 'utf8')));
  return mails.map((mail) => /^Subject: (.*)$/m.exec(mail)?.[1]?.trim() ?? '').toSorted();
}

const restarts = async () => await site.lines('restarts');

describe('checks of the application with [app] heal', () => {
  it('restart nothing after one bad answer, nor after failures that are not in a row', async () => {
    await breakIt();
    expect(await check()).toBe('failed');
    expect(await check()).toBe('failed');
    await rm(join(site.path, 'broken'));
    expect(await check()).toBe('succeeded');
    await breakIt();
    expect(await check()).toBe('failed');
    expect(await check()).toBe('failed');
    expect(await restarts()).toEqual([]);
    expect(await subjects()).toEqual([]);
  });

  it('restart it after enough failures in a row, check it, and tell', async () => {
    await breakIt();
    for (let n = 0; n < 3; n++) expect(await check()).toBe('failed');
    expect(await restarts()).toEqual(['restarted']);
    expect(await subjects()).toEqual(['Application restarted on web1']);
    expect(await check()).toBe('succeeded');
    expect(await subjects()).toHaveLength(1);
    const [restart] = await site.database.query(`select * from tend.tasks where kind = 'restart-app'`);
    expect(restart).toMatchObject({
      ...{ state: 'succeeded', host: 'web1', max_attempts: 1 },
      payload: {
        because: expect.stringMatching(/^3 failed checks in a row within .*: The application is not healthy/),
      },
    });
    const [cause] = await site.database.query('select kind from tend.tasks where id = $1', [
      restart?.['enqueued_by'],
    ]);
    expect(cause).toEqual({ kind: 'check-app' });
  });

  it('stop restarting what a restart does not help, tell it once, and tell when it is healthy again', async () => {
    await site.configure(toml(healing.replace('after = 3', 'after = 1'), 'echo restarted >> restarts'));
    await breakIt();
    for (let n = 0; n < 6; n++) expect(await check()).toBe('failed');
    expect(await restarts()).toHaveLength(2);
    expect(await subjects()).toEqual([
      'Application NOT healthy after a restart on web1',
      'Application NOT healthy after a restart on web1',
      'Application down, a person must act on web1',
    ]);
    await rm(join(site.path, 'broken'));
    expect(await check()).toBe('succeeded');
    expect(await check()).toBe('succeeded');
    expect((await subjects()).filter((subject) => subject.includes('again'))).toEqual([
      'Application healthy again on web1',
    ]);
  });

  it('do not ask twice for a restart that waits', async () => {
    await site.configure(toml(healing.replace('after = 3', 'after = 1')));
    await site.tend(['tasks', 'pause', '--kind', 'restart-app']);
    await breakIt();
    for (let n = 0; n < 3; n++) await check();
    await site.tend(['tasks', 'resume', '--kind', 'restart-app']);
    const rows = await site.database.query(`select state from tend.tasks where kind = 'restart-app'`);
    expect(rows).toEqual([{ state: 'waiting' }]);
  });

  it('count each host by itself', async () => {
    await breakIt();
    for (let n = 0; n < 2; n++) await check();
    await site.enqueue('check-app');
    await site.tend(['run-due-tasks', '--drain'], { env: { TEND_TASKS_HOST: 'web2' } });
    expect(await restarts()).toEqual([]);
    expect(await site.database.query('select host, failures from tend.app_health order by host')).toEqual([
      { host: 'web1', failures: 2 },
      { host: 'web2', failures: 1 },
    ]);
  });

  it('show why in the history of the check', async () => {
    await breakIt();
    const id = await site.enqueue('check-app');
    await site.tend(['run-due-tasks', '--drain']);
    const { task } = json(await site.tend(['tasks', 'show', String(id), '--json']));
    expect(task).toMatchObject({
      attempts: [
        {
          outcome: 'failed',
          outputTail: expect.stringContaining('1 failed check in a row, 0 restarts; next: wait'),
        },
      ],
    });
  });
});

it('without [app] heal a failed check is tried again like any task, and restarts nothing', async () => {
  await site.configure(toml(''));
  await breakIt();
  expect(await check()).toBe('waiting');
  expect(await site.database.query('select from tend.app_health')).toEqual([]);
});
