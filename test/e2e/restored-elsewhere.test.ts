import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dropCompanions } from '../backups/support/fixture.ts';
import { createQueueSite, json, type QueueSite, scriptKind } from './queue-site.ts';

let site: QueueSite;

const toml = (path: string) =>
  [
    `[backup]\ndirectory = "${join(path, 'backups')}"\n`,
    `[mail]\nurl = "eml:${join(path, 'sent')}"\nfrom = "cms@example.org"\n`,
    '[tasks]\nhost = "web1"\n',
    scriptKind('mark', 'echo "$TEND_TASK_ID" >> marks'),
    '[schedules.nightly]\ncron = "30 2 * * *"\nkind = "noop"\ncatch_up = "all"\nmax_late = "60d"\n',
  ].join('');

const message = { to: 'ann@example.org', subject: 'Your invoice', text: 'Hello' };
let waiting: number;
let mail: number;

/** The original: due work, a schedule that has not been looked at for a month, and a backup of all that. */
beforeAll(async () => {
  site = await createQueueSite();
  await site.configure(toml(site.path));
  await mkdir(join(site.path, 'backups'), { mode: 0o700 });
  await mkdir(join(site.path, 'sent'));
  await site.tend(['migrations', 'up']);
  await site.tend(['run-due-tasks']);
  waiting = await site.enqueue('mark');
  mail = await site.enqueue('send-mail', message);
  await site.database.query(
    `select tend.schedule('ours', '* * * * *', 'mark', catch_up => 'all', max_late => '60 days')`,
  );
  await site.database.query(
    `update tend.schedules set next_slot = now() - interval '30 days', defined_at = now() - interval '30 days'`,
  );
  expect((await site.tend(['backup'])).exitCode).toBe(0);
});
afterAll(async () => {
  await dropCompanions(site.database);
  await site[Symbol.asyncDispose]();
});

const sent = async () => (await readdir(join(site.path, 'sent'))).length;

describe.each(['hold', 'cancel', 'run'] as const)(
  'a backup restored elsewhere and adopted with %s',
  (choice) => {
    const name = () => `${site.database.name}_${choice}`;
    const env = () => ({
      TEND_DATABASE_URL: site.database.url.replace(`/${site.database.name}?`, `/${name()}?`),
    });
    const here = async (args: string[]) => await site.tend(args, { env: env() });
    const query = async (sql: string) => {
      const client = await site.database.connect({ database: name() });
      try {
        return (await client.query(sql)).rows;
      } finally {
        await client.end();
      }
    };

    it('runs nothing before it is adopted: exit code 78', async () => {
      expect((await site.tend(['restore', 'latest', '--into', name()])).exitCode).toBe(0);
      const refused = await here(['run-due-tasks']);
      expect(refused.exitCode).toBe(78);
      expect(refused.stderr).toContain('tend doctor --adopt');
      expect((await here(['status', '--check'])).exitCode).toBe(4);
      expect(await query("select from tend.tasks where state in ('waiting', 'running')")).toEqual([]);
    });

    it('then ticks, sends no mail of the original, and makes up for no schedule', async () => {
      expect((await here(['doctor', '--adopt', '--unfinished', choice])).exitCode).toBe(0);
      const [adopted] = await query(
        `select max(defined_at)::text as at, (select max(id) from tend.tasks) as last from tend.schedules`,
      );
      expect((await here(['run-due-tasks', '--drain'])).exitCode).toBe(0);
      expect((await here(['run-due-tasks', '--drain'])).exitCode).toBe(0);
      const states = await query(
        `select id, state from tend.tasks where id in (${waiting}, ${mail}) order by id`,
      );
      expect(states.map(({ state }) => state)).toEqual(
        { hold: ['held', 'held'], cancel: ['cancelled', 'cancelled'], run: ['succeeded', 'held'] }[choice],
      );
      expect((await site.lines('marks')).includes(String(waiting))).toBe(choice === 'run');
      expect(await sent()).toBe(0);
      const madeUp = `select from tend.tasks where id > ${adopted?.last} and slot_at < '${adopted?.at}'`;
      expect(await query(madeUp)).toEqual([]);
    });

    it('has the schedules of the host’s tend.toml again, and those by SQL only where the copy is to run', async () => {
      expect(
        await query(`select name, enabled, declared_by, disabled_reason as reason, defined_at > now() - interval '1 hour' as "isFresh"
        from tend.schedules order by name`),
      ).toEqual([
        { name: 'nightly', enabled: true, declared_by: ['web1'], reason: null, isFresh: true },
        {
          ...{ name: 'ours', enabled: choice === 'run', declared_by: [], isFresh: true },
          reason: choice === 'run' ? null : 'adopted copy',
        },
      ]);
    });

    it('sends what it is told to send from now on', async () => {
      if (choice !== 'run') return;
      expect((await here(['tasks', 'resolve', String(mail), '--retry'])).exitCode).toBe(0);
      expect((await here(['run-due-tasks', '--task', String(mail)])).exitCode).toBe(0);
      expect(await sent()).toBe(1);
      expect(json(await here(['doctor', '--adopt', '--json']))).toMatchObject({ isAdopted: false });
    });
  },
);

it('the original is as it was: its task and its mail still wait', async () => {
  expect((await site.task(waiting)).state).toBe('waiting');
  expect((await site.task(mail)).state).toBe('waiting');
});
