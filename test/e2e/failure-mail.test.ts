import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { scriptedSmtpServer } from '../mail/scripted-smtp-server.ts';
import { testRun } from '../support/test-run.ts';
import { createQueueSite, json, type QueueSite, scriptKind, tcpUrl } from './queue-site.ts';

let site: QueueSite;

/** Kind `chore` fails while there is a file `broken`; `sync`, too, where its payload says so. */
function toml(more = '[mail]\nurl = "eml:mails"\nfrom = "tend <tend@example.org>"\n'): string {
  return `[tasks]
host = "web1"
${scriptKind('chore', 'echo looking for the file; ! test -e broken || exit 7', { max_attempts: 1 })}
${scriptKind('sync', '! grep -q fail', { max_attempts: 1 })}
[monitor]
mail_to = ["ops@example.org", "Boss <boss@example.org>"]
${more}`;
}

beforeAll(async () => {
  site = await createQueueSite();
});
afterAll(async () => await site[Symbol.asyncDispose]());
beforeEach(async () => {
  await site.configure(toml());
  await site.database.query(
    'truncate tend.tasks, tend.attempts, tend.deliveries, tend.alerts, tend.mail_servers',
  );
  for (const name of ['broken', 'go', 'mails'])
    await rm(join(site.path, name), { recursive: true, force: true });
});

const breakIt = async () => await writeFile(join(site.path, 'broken'), '');
const repairIt = async () => await rm(join(site.path, 'broken'));
const tick = async () => await site.tend(['run-due-tasks']);

/** Tasks of kind `chore` and the tick that runs them. */
async function chores(count = 1): Promise<number> {
  let id = 0;
  for (let n = 0; n < count; n++) id = await site.enqueue('chore');
  await tick();
  return id;
}

async function mails(): Promise<string[]> {
  const directory = join(site.path, 'mails');
  const names = await readdir(directory).catch(() => []);
  const texts = await Promise.all(names.map(async (name) => await readFile(join(directory, name), 'utf8')));
  return texts.map((text) => text.replaceAll('\r\n', '\n').replaceAll(/=\n/g, ''));
}

const subjectOf = (mail: string) =>
  /^Subject: (.*(?:\n .*)*)$/m
    .exec(mail)?.[1]
    ?.replaceAll(/\n /g, ' ')
    .replace(/ \(database .*/, '');
const subjects = async () => (await mails()).map((mail) => subjectOf(mail) ?? '').toSorted();

/** Lets all that stands in `tend.alerts` have happened so long ago. */
async function letPass(time: string): Promise<void> {
  const columns = ['broken_since', 'last_failed_at', 'recovered_at', 'due_at', 'last_mailed_at'];
  const moved = columns.map((column) => `${column} = ${column} - $1::interval`).join(', ');
  await site.database.query(`update tend.alerts set ${moved}`, [time]);
}

describe('[monitor] mail_to', () => {
  it('is told once when a kind of task breaks, and of no failure after that', async () => {
    await breakIt();
    await chores();
    await chores(10);
    await tick();
    expect(await subjects()).toEqual(['chore failed on web1']);
  });

  it('is told of what a tick with -q leaves to no other', async () => {
    await breakIt();
    await site.enqueue('chore');
    expect(await site.tend(['run-due-tasks', '-q'])).toMatchObject({ exitCode: 3, stdout: '', stderr: '' });
    expect(await subjects()).toEqual(['chore failed on web1']);
  });

  it('is told by another tick while the one that failed still runs', async () => {
    await site.configure(toml() + scriptKind('long', 'until test -e go; do sleep 0.1; done'));
    await breakIt();
    await site.enqueue('long');
    await site.enqueue('chore');
    const { result } = await site.start(['run-due-tasks']);
    const noted = async () => await site.database.query('select from tend.alerts');
    await expect.poll(noted).not.toEqual([]);
    await tick();
    expect(await subjects()).toEqual(['chore failed on web1']);
    await writeFile(join(site.path, 'go'), '');
    expect(await result).toMatchObject({ exitCode: 3 });
    expect(await subjects()).toHaveLength(1);
  });

  it('is reminded once a day while it is broken, also when nothing runs', async () => {
    await breakIt();
    await chores(2);
    await letPass('23 hours');
    await tick();
    expect(await subjects()).toHaveLength(1);
    await letPass('1 hour');
    await tick();
    await tick();
    expect(await subjects()).toEqual(['chore failed on web1', 'chore still fails, for 1 d on web1']);
    await letPass('1 day');
    await tick();
    expect(await subjects()).toHaveLength(3);
  });

  it('is told once when it works again: after how long and how many failures', async () => {
    await breakIt();
    await chores(3);
    await letPass('5 hours');
    await repairIt();
    await chores(2);
    expect(await subjects()).toEqual(['chore failed on web1', 'chore works again after 5 h on web1']);
    const [mail = ''] = (await mails()).filter((text) => subjectOf(text)?.includes('works again'));
    expect(mail).toMatch(/^Failures: {7}3$/m);
    expect(mail).toMatch(/^Was broken for: 5 h$/m);
    await letPass('1 day');
    await tick();
    await chores();
    await letPass('1 day');
    await tick();
    expect(await subjects()).toHaveLength(2);
    expect(await site.database.query('select from tend.alerts')).toEqual([]);
  });

  it('is told what failed, where, with what it said, and how to go on', async () => {
    await breakIt();
    const id = await chores();
    const [mail = ''] = await mails();
    expect(mail).toMatch(/^To: ops@example\.org,\s+Boss <boss@example\.org>$/m);
    expect(mail).toMatch(/^From: tend <tend@example\.org>$/m);
    expect(mail).toMatch(/^Auto-Submitted: auto-generated$/m);
    expect(mail).toContain(`Kind:           chore
Database:       ${site.database.name}
Last failure:   task ${id} (failed: no attempts left)
`);
    expect(mail).toContain('Error:\n  "/bin/sh" failed with exit code 7: looking for the file');
    expect(mail).toMatch(/^ {2}1\. \d{4}-.*Z on web1:\d+, .*, failed, exit code 7: "\/bin\/sh" failed/m);
    expect(mail).toContain('Log of the last attempt:\n  looking for the file');
    expect(mail).toContain(`Look further:    tend tasks show ${id}`);
    expect(mail).toContain(`Run it again:    tend tasks retry ${id}`);
  });

  it('gets one message about a flood of failures', async () => {
    await site.configure(toml().replace('mail_to', 'metrics_file = "m.prom"\nmail_to'));
    await site.database.query(
      `select tend.enqueue('http', '{"url": "http://nobody.example/"}') from generate_series(1, 1000)`,
    );
    await site.tend(['run-due-tasks', '--drain']);
    expect(await subjects()).toEqual(['http failed on web1']);
    expect(await site.database.query('select failures from tend.alerts')).toEqual([{ failures: 1000 }]);
  });

  it('gets one message from two ticks at once', async () => {
    await breakIt();
    await site.configure(toml().replace('mail_to', '#mail_to'));
    await chores();
    await site.configure(toml());
    await Promise.all(Array.from({ length: 4 }, tick));
    expect(await subjects()).toEqual(['chore failed on web1']);
  });

  it('is told what a person ran by hand, by the next tick', async () => {
    await site.configure(`[backup]\ndirectory = "tend.toml"\n${toml()}`);
    expect((await site.tend(['backup'])).exitCode).not.toBe(0);
    expect(await subjects()).toEqual([]);
    await tick();
    expect(await subjects()).toEqual(['backup failed on web1']);
  });

  it('is told of a task that is lost with its worker, and held, until a person has decided', async () => {
    const id = await site.enqueue('chore');
    await site.database.query(
      `update tend.tasks set state = 'running', on_lost = 'hold', attempt = 1, started_at = now(), lease_owner = 'gone:1:2:3',
              lease_token = gen_random_uuid(), lease_until = now() - interval '1 s' where id = $1`,
      [id],
    );
    await tick();
    expect(await subjects()).toEqual(['chore needs a person on gone']);
    const [mail = ''] = await mails();
    expect(mail).toContain(`Decide about it: tend tasks resolve ${id}`);
    await chores();
    expect(await subjects()).toHaveLength(1);
    await letPass('3 hours');
    await site.tend(['tasks', 'resolve', String(id), '--drop']);
    await tick();
    expect(await subjects()).toEqual(['chore is settled after 3 h on gone', 'chore needs a person on gone']);
    expect(await site.database.query('select phase from tend.alerts')).toEqual([{ phase: 'over' }]);
  });

  it('is told of each schedule by itself', async () => {
    await breakIt();
    for (const name of ['hourly', 'nightly']) {
      await site.database.query(`update tend.tasks set schedule = $2 where id = $1`, [
        await site.enqueue('chore'),
        name,
      ]);
    }
    await tick();
    expect(await subjects()).toEqual(['chore (hourly) failed on web1', 'chore (nightly) failed on web1']);
    await repairIt();
    await site.database.query(`update tend.tasks set schedule = 'nightly' where id = $1`, [
      await site.enqueue('chore'),
    ]);
    await tick();
    expect((await subjects()).filter((subject) => subject.includes('works again'))).toHaveLength(1);
  });

  it('hears of what fails from time to time no more often than daily', async () => {
    for (let round = 0; round < 3; round++) {
      await site.enqueue('sync', { fail: true });
      await tick();
      await site.enqueue('sync');
      await tick();
    }
    expect(await subjects()).toEqual([
      'sync failed again on web1',
      'sync failed on web1',
      expect.stringMatching(/^sync works again after /),
    ]);
    await letPass('1 day');
    await tick();
    expect((await subjects()).filter((subject) => subject.includes('works again'))).toHaveLength(2);
  });

  it('hears once of what failed and worked again within one tick', async () => {
    await site.enqueue('sync', { fail: true });
    for (let n = 0; n < 3; n++) await site.enqueue('sync');
    await site.tend(['run-due-tasks', '--concurrency', '1']);
    await tick();
    expect(await subjects()).toEqual(['sync failed once and works again on web1']);
  });

  it('reads no secret that the log of a task held', async () => {
    const { password } = testRun();
    await site.configure(
      toml() + scriptKind('leaky', `echo "the password is ${password}"; exit 1`, { max_attempts: 1 }),
    );
    await site.enqueue('leaky');
    const url = tcpUrl({ connection: site.database.connection, password });
    await site.tend(['run-due-tasks'], { env: { TEND_DATABASE_URL: url } });
    expect(await subjects()).toEqual(['leaky failed on web1']);
    const [mail = ''] = await mails();
    expect(mail).toContain('the password is ');
    expect(mail).not.toContain(password);
  });
});

describe('without [monitor] mail_to', () => {
  it('nobody is told, and what is broken is noted all the same', async () => {
    await site.configure(toml().replace('mail_to', '#mail_to'));
    await breakIt();
    await chores(2);
    expect(await subjects()).toEqual([]);
    expect(await site.database.query('select kind, phase, failures from tend.alerts')).toEqual([
      { kind: 'chore', phase: 'broken', failures: 2 },
    ]);
    expect(await site.database.query(`select from tend.tasks where kind = 'send-mail'`)).toEqual([]);
  });
});

describe('a mail server that fails', () => {
  const broken = '[mail]\nurl = "smtp://127.0.0.1:1?tls=off"\nfrom = "tend@example.org"\n';

  it('loses no message, sends none about itself, and is named on stderr', async () => {
    await breakIt();
    await site.configure(toml(broken));
    await site.enqueue('chore');
    const first = await tick();
    expect(first.stderr).toContain('send-mail: ');
    expect(first.exitCode).toBe(75);
    await tick();
    const waiting = await site.database.query(
      `select payload->>'subject' as subject from tend.tasks where kind = 'send-mail' and state = 'waiting'`,
    );
    expect(waiting).toHaveLength(1);
    expect(await site.database.query('select kind from tend.alerts')).toEqual([{ kind: 'chore' }]);
    await using server = await scriptedSmtpServer();
    await site.configure(toml(broken.replace(':1?', `:${server.port}?`)));
    await tick();
    expect(server.messages).toHaveLength(1);
    expect(server.recipients).toHaveLength(2);
  });

  it('has one message waiting after days, the newest', async () => {
    await breakIt();
    await site.configure(toml(broken));
    await chores();
    for (let day = 0; day < 3; day++) {
      await letPass('1 day');
      await tick();
    }
    const waiting = await site.database.query<{ subject: string }>(
      `select payload->>'subject' as subject from tend.tasks where kind = 'send-mail' and state = 'waiting'`,
    );
    expect(waiting.map(({ subject }) => subject.replace(/ on .*/, ''))).toEqual([
      'chore still fails, for 3 d',
    ]);
  });

  it('that refuses the recipient for good is no failure to be told to the same recipient', async () => {
    await using server = await scriptedSmtpServer({ replies: { RCPT: '550 5.1.1 no such user' } });
    await breakIt();
    await site.configure(toml(broken.replace(':1?', `:${server.port}?`)));
    await chores();
    for (let n = 0; n < 3; n++) await tick();
    expect(await site.database.query(`select state from tend.tasks where kind = 'send-mail'`)).toEqual([
      { state: 'failed' },
    ]);
    expect(await site.database.query('select kind from tend.alerts')).toEqual([{ kind: 'chore' }]);
    const { problems } = json(await site.tend(['status', '--json']));
    expect(problems).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^nobody could be told that chore is broken \(message: task \d+, failed: /),
      ]),
    );
  });
});

describe('[mail] redirect_all', () => {
  it('takes the messages about failures too', async () => {
    await using server = await scriptedSmtpServer();
    const mail = `[mail]\nurl = "smtp://127.0.0.1:${server.port}?tls=off"\nfrom = "tend@example.org"\n`;
    await site.configure(toml(`${mail}redirect_all = "dev@example.org"\n`));
    await breakIt();
    await chores();
    expect(server.recipients.map((line) => /<(.*?)>/.exec(line)?.[1] ?? line)).toEqual(['dev@example.org']);
  });
});

describe('a tick that is killed', () => {
  it('in the middle of telling leaves no message, and the next one tells', async () => {
    const { database } = site;
    await database.query(`
      create function tend.slow() returns trigger language plpgsql as 'begin perform pg_sleep(60); return new; end';
      create trigger slow before insert on tend.tasks for each row when (new.kind = 'send-mail') execute function tend.slow()`);
    try {
      await breakIt();
      await site.enqueue('chore');
      const { child, result } = await site.start(['run-due-tasks']);
      const telling = `select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`;
      await expect.poll(() => database.query(telling)).not.toEqual([]);
      child.kill('SIGKILL');
      await result;
      // The server notices by itself when it has slept.
      await database.query(`select pg_terminate_backend(pid, 10000) from (${telling}) t`);
    } finally {
      await database.query('drop trigger slow on tend.tasks; drop function tend.slow()');
    }
    expect(await database.query(`select from tend.tasks where kind = 'send-mail'`)).toEqual([]);
    await tick();
    expect(await subjects()).toEqual(['chore failed on web1']);
  });

  it('after a failure and before the message leaves it to the next one', async () => {
    await breakIt();
    await site.configure(toml().replace('mail_to', '#mail_to'));
    await chores();
    expect(await subjects()).toEqual([]);
    await site.configure(toml());
    await tick();
    expect(await subjects()).toEqual(['chore failed on web1']);
  });
});

describe('a copy of the database', () => {
  it('tells nobody, and once adopted begins with nothing broken', async () => {
    await breakIt();
    await chores();
    await letPass('2 days');
    await site.database.query('update tend.meta set database_oid = database_oid::bigint::int + 1');
    expect((await tick()).exitCode).toBe(78);
    expect(await subjects()).toHaveLength(1);
    await site.database.query(`select tend.adopt('run')`);
    expect((await tick()).exitCode).toBe(0);
    expect(await subjects()).toHaveLength(1);
    expect(await site.database.query('select from tend.alerts')).toEqual([]);
  });
});
