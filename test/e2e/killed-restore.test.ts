import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dropCompanions } from '../backups/support/fixture.ts';
import { createQueueSite, json, type QueueSite } from './queue-site.ts';

let site: QueueSite;

/** An application whose check hangs for as long as there is a file `hang`. */
beforeAll(async () => {
  site = await createQueueSite();
  const check = JSON.stringify(['/bin/sh', '-c', 'echo asked >> checked; test ! -e hang || sleep 600']);
  const directory = join(site.path, 'backups');
  await mkdir(directory, { mode: 0o700 });
  await site.configure(
    `[app]\ncheck = { command = ${check}, steady = 1, within = "2m" }\n[backup]\ndirectory = "${directory}"\n`,
  );
  await site.database.query('create table public.pages (n int); insert into public.pages values (1)');
  expect((await site.tend(['backup'])).exitCode).toBe(0);
  await site.database.query('insert into public.pages values (2)');
});
afterAll(async () => {
  await dropCompanions(site.database);
  await site[Symbol.asyncDispose]();
});

const pages = async () => await site.database.query('select n from public.pages order by n');

it('a restore killed in its check is named by doctor, finished by --resume, on its task, too, and undone by --undo', {
  timeout: 120_000,
}, async () => {
  const { name } = site.database;
  const confirm = ['--confirm', name];
  await writeFile(join(site.path, 'hang'), '');
  const killed = await site.start(['restore', 'latest', ...confirm]);
  try {
    await expect.poll(async () => await site.lines('checked'), { timeout: 60_000 }).toHaveLength(1);
  } finally {
    killed.child.kill('SIGKILL');
    await killed.result;
  }
  await rm(join(site.path, 'hang'));
  const [{ id } = { id: 0 }] = await site.database.query<{ id: number }>(
    `select id::int from tend.tasks where kind = 'restore' and state = 'running'`,
  );

  const doctor = json(await site.tend(['doctor', '--json']));
  expect(doctor['checks']).toContainEqual({
    ...{
      name: 'unfinished-restore',
      status: 'fail',
      text: expect.stringContaining('has replaced the database'),
    },
    fix: `tend restore --resume --confirm ${name}, or to go back: tend restore --undo --confirm ${name}`,
  });
  const another = await site.tend(['restore', 'latest', ...confirm, '--json']);
  expect(json(another)).toMatchObject({ error: { code: 'RESTORE_UNFINISHED', exitCode: 75 } });
  expect((await site.tend(['restore', '--resume'])).exitCode).toBe(64);
  expect((await site.tend(['restore', 'latest', '--resume', ...confirm])).exitCode).toBe(64);

  const resumed = await site.tend(['restore', '--resume', ...confirm, '--json']);
  expect(resumed).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('.tend-unpacked-') });
  const { taskId, ...report } = json(resumed);
  expect(report).toMatchObject({ action: 'finished', database: name, resolvedTasks: [id] });
  expect(await pages()).toEqual([{ n: 1 }]);
  expect(await site.task(id)).toMatchObject({
    ...{ state: 'succeeded', reason: `resolved as "done" by tend restore --resume, task ${Number(taskId)}` },
  });
  expect(await site.attempts(id)).toMatchObject([
    { outcome: 'lost', evidence: { action: 'finished', endedByTask: taskId } },
  ]);

  const undone = await site.tend(['restore', '--undo', ...confirm, '--json']);
  expect(json(undone)).toMatchObject({ action: 'undone', keptAs: null, restoredAs: null, resolvedTasks: [] });
  expect(await pages()).toEqual([{ n: 1 }, { n: 2 }]);
  const again = await site.tend(['restore', '--undo', ...confirm, '--json']);
  expect(json(again)).toMatchObject({ error: { code: 'RESTORE_REFUSED', exitCode: 1 } });
});
