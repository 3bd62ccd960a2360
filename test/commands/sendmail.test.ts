import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type ScriptedSmtpServer,
  type ScriptedSmtpServerOptions,
  scriptedSmtpServer,
} from '../mail/scripted-smtp-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { runCli } from '../support/run-cli.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

let database: TestDatabase;
let directory: TemporaryDirectory;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => await database[Symbol.asyncDispose]());
beforeEach(async () => {
  await database.query('truncate tend.tasks, tend.deliveries, tend.hosts cascade');
  directory = await temporaryDirectory();
  return async () => await directory[Symbol.asyncDispose]();
});

const program = fileURLToPath(new URL('../../bin/sendmail.js', import.meta.url));

async function configure(server: Pick<ScriptedSmtpServer, 'port'>, databaseUrl?: string): Promise<void> {
  const section = databaseUrl === undefined ? '' : `[database]\nurl = ${JSON.stringify(databaseUrl)}\n`;
  const mail = `[mail]\nurl = "smtp://127.0.0.1:${server.port}"\nfrom = "CMS <cms@example.org>"\ntimeout = "20s"\n`;
  const aliases = '[mail.aliases]\npostmaster = "ops@example.net"\n';
  await writeFile(join(directory.path, 'tend.toml'), section + mail + aliases);
}

async function sendmail(args: string[], input: string, cwd = directory.path) {
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: { PATH: '/usr/bin:/bin', HOME: directory.path },
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { exitCode: child.exitCode, stdout, stderr };
}

const input = 'From: root (Cron Daemon)\nTo: root\nBcc: hidden@x.test\nSubject: Cron\n\nout\n.\nput\n';
const silent = { exitCode: 0, stdout: '', stderr: '' };

describe('tend-sendmail without a queue', () => {
  it('takes a message as cron gives it, silently', async () => {
    await using server = await scriptedSmtpServer();
    await configure(server);
    expect(await sendmail(['-i', '-FCronDaemon', '-B8BITMIME', '-oem', 'root'], input)).toEqual(silent);
    expect(server.recipients).toEqual(['root@example.org']);
    expect(server.messages[0]).toMatch(/Subject: Cron\r\n[\s\S]*\r\n\r\nout\r\n\.\r\nput\r\n$/);
    expect(server.messages[0]).not.toContain('hidden');
  });

  it('finds whom a name stands for, and its tend.toml by -C', async () => {
    await using server = await scriptedSmtpServer();
    await configure(server);
    const elsewhere = join(directory.path, 'elsewhere');
    await mkdir(elsewhere);
    await writeFile(join(elsewhere, 'tend.toml'), '');
    const args = ['-C', join(directory.path, 'tend.toml'), 'postmaster'];
    expect(await sendmail(args, input, elsewhere)).toEqual(silent);
    expect(server.recipients).toEqual(['ops@example.net']);
  });

  it.each<[number, string[], ScriptedSmtpServerOptions]>([
    [64, ['-bs'], {}],
    [64, [], {}],
    [65, ['not an address'], {}],
    [65, ['a@x.test'], { replies: { message: '552 too large' } }],
    [67, ['a@x.test'], { replies: { RCPT: '550 no' } }],
    [
      67,
      ['a@x.test', 'b@x.test'],
      { replies: { RCPT: (line) => (line.includes('b@') ? '550 no' : '250 Ok') } },
    ],
    [
      69,
      ['a@x.test', 'b@x.test'],
      { replies: { RCPT: (line) => (line.includes('b@') ? '450 no' : '250 Ok') } },
    ],
    [69, ['a@x.test'], { dropAt: 'greeting' }],
    [69, ['a@x.test'], { dropAt: 'message' }],
    [75, ['a@x.test'], { replies: { RCPT: '450 later' } }],
    [77, ['a@x.test'], { replies: { MAIL: '530 log in' } }],
  ])('exits %i with %j', async (code, args, options) => {
    await using server = await scriptedSmtpServer(options);
    await configure(server);
    const { exitCode, stderr } = await sendmail(args, input);
    expect(exitCode).toBe(code);
    expect(stderr).not.toBe('');
  });

  it('exits 78 where nothing is configured', async () => {
    expect(await sendmail(['a@x.test'], input)).toMatchObject({ exitCode: 78 });
  });
});

describe('tend-sendmail with a queue', () => {
  const tick = async () => await runCli(['run-due-tasks'], { cwd: directory.path });
  const rows = async () =>
    await database.query(
      `select t.state, t.payload, d.message_id, d.state as delivery from tend.tasks t
         left join tend.deliveries d on d.task_id = t.id order by t.id`,
    );

  it('leaves the message there, and the next tick sends its very bytes', async () => {
    await using server = await scriptedSmtpServer();
    await configure(server, database.url);
    await tick();
    expect(await sendmail(['-i', 'postmaster'], input)).toEqual(silent);
    expect(server.messages).toEqual([]);
    expect(await rows()).toMatchObject([
      { state: 'waiting', delivery: 'composed', payload: { to: ['ops@example.net'], subject: 'Cron' } },
    ]);
    await tick();
    expect(await rows()).toMatchObject([{ state: 'succeeded', delivery: 'sent' }]);
    expect(server.recipients).toEqual(['ops@example.net']);
    const [kept] = await database.query<{ raw: Buffer }>('select raw from tend.deliveries');
    expect(server.messages).toEqual([kept?.raw.toString()]);
  });

  it('keeps the message while the mail server is down, which is no failure of cron’s', async () => {
    await configure({ port: 9 }, database.url);
    await tick();
    expect(await sendmail(['root'], input)).toEqual(silent);
    await tick();
    expect(await rows()).toMatchObject([{ state: 'waiting', delivery: 'composed' }]);
  });

  it('keeps several messages of one Message-ID, as a program may write to each recipient', async () => {
    await using server = await scriptedSmtpServer();
    await configure(server, database.url);
    await tick();
    for (const to of ['a@x.test', 'b@x.test', 'c@x.test'])
      expect(await sendmail([to], `Message-ID: <one@x.test>\n${input}`)).toEqual(silent);
    expect((await rows()).map(({ message_id }) => message_id)).toEqual([
      '<one@x.test>',
      '<one@x.test> #2',
      '<one@x.test> #3',
    ]);
    await tick();
    expect(server.recipients.sort((a, b) => a.localeCompare(b))).toEqual([
      'a@x.test',
      'b@x.test',
      'c@x.test',
    ]);
    expect(server.messages.every((message) => message.includes('Message-ID: <one@x.test>\r\n'))).toBe(true);
  });

  it.each([
    ['that nobody ticks', async () => {}],
    [
      'whose ticks have stopped',
      async () => {
        await tick();
        await database.query(`update tend.hosts set last_tick_at = now() - interval '1 hour'`);
      },
    ],
  ])('%s sends at once: what tells of it must not wait for it', async (_, prepare) => {
    await using server = await scriptedSmtpServer();
    await configure(server, database.url);
    await prepare();
    expect(await sendmail(['root'], input)).toEqual(silent);
    expect([server.messages.length, await rows()]).toEqual([1, []]);
  });

  it.each([
    ['cannot be reached', 'postgresql://nobody@127.0.0.1:9/gone'],
    ['is not there yet', undefined],
  ])('that %s sends at once', async (_, url) => {
    await using empty = await createTestDatabase({ empty: true });
    await using server = await scriptedSmtpServer();
    await configure(server, url ?? empty.url);
    expect(await sendmail(['root'], input)).toEqual(silent);
    expect(server.messages).toHaveLength(1);
  });

  it('of a copy sends nothing, and says why', async () => {
    await using copy = await createTestDatabase();
    await copy.query('update tend.meta set database_oid = 1');
    await using server = await scriptedSmtpServer();
    await configure(server, copy.url);
    expect(await sendmail(['root'], input)).toMatchObject({ exitCode: 78 });
    expect(server.messages).toEqual([]);
  });
});
