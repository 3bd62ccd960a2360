import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ScriptedSmtpServerOptions, scriptedSmtpServer } from '../mail/scripted-smtp-server.ts';
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
  directory = await temporaryDirectory();
  return async () => await directory[Symbol.asyncDispose]();
});

interface Setting {
  url: string;
  hasDatabase?: boolean;
  attachmentsFrom?: string[];
}

async function configure({ url, hasDatabase = false, attachmentsFrom }: Setting): Promise<void> {
  const section = hasDatabase ? `[database]\nurl = ${JSON.stringify(database.url)}\n` : '';
  const mail = `[mail]\nurl = ${JSON.stringify(url)}\nfrom = "CMS <cms@example.org>"\ntimeout = "20s"\n`;
  const from = attachmentsFrom === undefined ? '' : `attachments_from = ${JSON.stringify(attachmentsFrom)}\n`;
  await writeFile(join(directory.path, 'tend.toml'), section + mail + from);
}

async function send(args: string[], stdin?: string) {
  const options = { cwd: directory.path, ...(stdin === undefined ? {} : { stdin }) };
  const ran = await runCli(['send-mail', ...args], options);
  return { ...ran, json: args.includes('--json') ? JSON.parse(ran.stdout) : undefined };
}

const hello = ['--to', 'bob@x.test', '--subject', 'Hello', '--text', 'Hi'];

/** Sends `hello` to a server that behaves as given. */
async function sendTo(server: ScriptedSmtpServerOptions, args: string[], hasDatabase = false) {
  await using started = await scriptedSmtpServer(server);
  await configure({ url: `smtp://127.0.0.1:${started.port}`, hasDatabase });
  const ran = await send(args);
  return { ...ran, messages: started.messages, recipients: started.recipients };
}

describe('tend send-mail without a database', () => {
  it('sends, and is silent on success', async () => {
    const { exitCode, stdout, stderr, messages } = await sendTo({}, hello);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(messages).toEqual([expect.stringMatching(/Subject: Hello\r\n[\s\S]*\r\n\r\nHi\r\n$/)]);
  });

  it('tells under --json what became of each recipient, and exits 3 where some were refused', async () => {
    const replies = { RCPT: (line: string) => (line.includes('never') ? '550 never' : '250 Ok') };
    const { exitCode, json } = await sendTo({ replies }, [...hello, '--bcc', 'never@x.test', '--json']);
    expect(exitCode).toBe(3);
    expect(json).toEqual({
      messageId: expect.stringMatching(/^<.*@example\.org>$/),
      taskId: null,
      accepted: ['bob@x.test'],
      refused: [{ address: 'never@x.test', reply: '550 never' }],
      deferred: [],
      suppressed: [],
      reply: '250 2.0.0 Ok: queued as 12345',
    });
  });

  it.each<[number, string, ScriptedSmtpServerOptions]>([
    [1, 'MAIL_RECIPIENTS_REFUSED', { replies: { RCPT: '550 no such user' } }],
    [1, 'MAIL_OUTCOME_UNKNOWN', { dropAt: 'message' }],
    [65, 'MAIL_MESSAGE_INVALID', { replies: { message: '554 spam' } }],
    [69, 'MAIL_SERVER_UNREACHABLE', { dropAt: 'greeting' }],
    [75, 'MAIL_SERVER_TEMPORARY', { replies: { message: '451 later' } }],
    [77, 'MAIL_SERVER_REFUSED', { replies: { MAIL: '530 log in first' } }],
  ])('exits %i with %s', async (code, name, server) => {
    const { exitCode, json } = await sendTo(server, [...hello, '--json']);
    expect(exitCode).toBe(code);
    expect(json).toEqual({ error: expect.objectContaining({ code: name, exitCode: code }) });
  });

  it.each<[number, string[], string]>([
    [65, ['--to', 'not an address', '--subject', 's', '--text', 't'], 'MAIL_ADDRESS_INVALID'],
    [65, ['--to', 'b@x.test\r\nBcc: evil@e.test', '--subject', 's', '--text', 't'], 'MAIL_ADDRESS_INVALID'],
    [65, [...hello.slice(0, 2), '--subject', 's\nBcc: evil@e.test', '--text', 't'], 'MAIL_MESSAGE_INVALID'],
    [65, [...hello.slice(0, 4)], 'MAIL_MESSAGE_INVALID'],
    [66, [...hello, '--attach', 'nowhere.pdf'], 'INPUT_MISSING'],
    [64, ['--subject', 's', '--text', 't'], 'USAGE'],
    [64, ['--to', 'bob@x.test', '--text', 't'], 'USAGE'],
    [64, [...hello, '--queue', '--dry-run'], 'USAGE'],
  ])('exits %i and contacts nobody with %j', async (code, args, name) => {
    const { exitCode, json } = await sendTo({}, [...args, '--json']);
    expect([exitCode, json]).toEqual([code, { error: expect.objectContaining({ code: name }) }]);
  });

  it('exits 78 where no mail server is configured', async () => {
    await writeFile(join(directory.path, 'tend.toml'), '');
    const { exitCode, stderr } = await send(hello);
    expect(exitCode).toBe(78);
    expect(stderr).toMatch(/No mail server is configured[\s\S]*\[mail\] url/);
  });

  it('never shows the password of the mail server', async () => {
    await using server = await scriptedSmtpServer({
      extensions: ['AUTH PLAIN'],
      replies: { MAIL: '530 canary-secret' },
    });
    await configure({ url: `smtp://user:canary-secret@127.0.0.1:${server.port}` });
    for (const args of [hello, [...hello, '-vv'], [...hello, '--json']]) {
      const { stdout, stderr, exitCode } = await send(args);
      expect(exitCode).not.toBe(0);
      expect(stdout + stderr).not.toContain('canary-secret');
    }
  });

  it('reads the text from standard input', async () => {
    await configure({ url: 'eml:out' });
    const { exitCode } = await send(['--to', 'bob@x.test', '--subject', 's', '--text', '-'], 'żółw\n');
    expect(exitCode).toBe(0);
    const [file = ''] = await readdir(join(directory.path, 'out'));
    expect(await readFile(join(directory.path, 'out', file), 'utf8')).toMatch(
      /=C5=BC=C3=B3=C5=82w|xbzDs8WCdw0K/,
    );
  });

  it('with --eml writes the message with its attachments to that file', async () => {
    await writeFile(join(directory.path, 'a.txt'), 'attached');
    const { exitCode, json } = await send([
      ...hello,
      '--from',
      'a@x.test',
      '--attach',
      'a.txt',
      '--eml',
      'm.eml',
      '--json',
    ]);
    expect([exitCode, json.file]).toEqual([0, join(directory.path, 'm.eml')]);
    expect(await readFile(json.file, 'utf8')).toContain(Buffer.from('attached').toString('base64'));
    expect((await readdir(directory.path)).sort()).toEqual(['a.txt', 'm.eml']);
  });

  it('with --dry-run asks the server about the recipients, and sends nothing', async () => {
    const { exitCode, json, messages } = await sendTo({}, [...hello, '--dry-run', '--json']);
    expect([exitCode, messages]).toEqual([0, []]);
    expect(json).toMatchObject({
      recipients: ['bob@x.test'],
      accepted: [],
      bytes: expect.any(Number),
      check: {
        tls: null,
        recipients: [{ address: 'bob@x.test', status: 'accepted', reply: '250 2.1.5 Ok' }],
      },
    });
  });

  it('with --dry-run exits 3 where the server would refuse some, and says whom', async () => {
    const replies = { RCPT: (line: string) => (line.includes('never') ? '550 never' : '250 Ok') };
    const { exitCode, stdout, messages } = await sendTo({ replies }, [
      ...hello,
      '--bcc',
      'never@x.test',
      '--dry-run',
    ]);
    expect([exitCode, messages]).toEqual([3, []]);
    expect(stdout).toMatch(
      /not encrypted, without a login\nbob@x\.test: accepted\nnever@x\.test: refused: 550 never\n$/,
    );
  });

  it('with --dry-run fails as sending would where the server is not there', async () => {
    expect(await sendTo({ dropAt: 'greeting' }, [...hello, '--dry-run'])).toMatchObject({ exitCode: 69 });
  });
});

describe('tend send-mail with a database', () => {
  async function task(id: number) {
    const [row] = await database.query(
      `select t.state, t.last_error, d.state as delivery, d.message_id
         from tend.tasks t left join tend.deliveries d on d.task_id = t.id where t.id = $1`,
      [id],
    );
    return row;
  }

  it('sends it as a task with its history', async () => {
    const { exitCode, json, messages } = await sendTo({}, [...hello, '--json'], true);
    expect([exitCode, messages.length]).toEqual([0, 1]);
    expect(await task(json.taskId)).toMatchObject({
      state: 'succeeded',
      delivery: 'sent',
      message_id: json.messageId,
    });
  });

  it('exits 3 where some were refused, and the replies are the task’s evidence', async () => {
    const replies = { RCPT: (line: string) => (line.includes('never') ? '550 never' : '250 Ok') };
    const { exitCode, json } = await sendTo({ replies }, [...hello, '--cc', 'never@x.test', '--json'], true);
    expect([exitCode, json.refused]).toEqual([3, [{ address: 'never@x.test', reply: '550 never' }]]);
    const [attempt] = await database.query(
      'select exit_code, evidence from tend.attempts where task_id = $1',
      [json.taskId],
    );
    expect(attempt).toMatchObject({
      exit_code: 3,
      evidence: { refused: json.refused, messageId: json.messageId },
    });
  });

  it('holds the task where nobody can know whether it was delivered', async () => {
    const { exitCode } = await sendTo({ dropAt: 'message' }, hello, true);
    expect(exitCode).toBe(1);
    const [row] = await database.query(
      `select t.state, d.state as delivery from tend.tasks t join tend.deliveries d on d.task_id = t.id order by t.id desc`,
    );
    expect(row).toEqual({ state: 'held', delivery: 'unknown' });
  });

  it('with --queue leaves it to the next tick, which sends it', async () => {
    await using server = await scriptedSmtpServer();
    await configure({ url: `smtp://127.0.0.1:${server.port}`, hasDatabase: true });
    const { exitCode, json } = await send([...hello, '--queue', '--json']);
    expect([exitCode, json.messageId]).toEqual([0, null]);
    expect(await task(json.taskId)).toMatchObject({ state: 'waiting', delivery: null });
    expect(server.messages).toEqual([]);
    const tick = await runCli(['run-due-tasks'], { cwd: directory.path });
    expect(tick).toMatchObject({ exitCode: 0 });
    expect(await task(json.taskId)).toMatchObject({ state: 'succeeded', delivery: 'sent' });
    expect(server.messages).toHaveLength(1);
  });

  it.each([[], ['--queue']])(
    'attaches what the person can read, wherever it lies, with %j',
    async (...more) => {
      await using server = await scriptedSmtpServer();
      await using elsewhere = await temporaryDirectory();
      const file = join(elsewhere.path, 'report.txt');
      await writeFile(file, 'attached');
      await configure({ url: `smtp://127.0.0.1:${server.port}`, hasDatabase: true });
      const { exitCode, json } = await send([...hello, '--attach', file, '--json', ...more]);
      expect(exitCode).toBe(0);
      await rm(file);
      await runCli(['run-due-tasks'], { cwd: directory.path });
      expect(await task(json.taskId)).toMatchObject({ state: 'succeeded', delivery: 'sent' });
      expect(server.messages[0]).toContain('filename=report.txt');
      expect(server.messages[0]).toContain(Buffer.from('attached').toString('base64'));
      const [row] = await database.query('select payload from tend.tasks where id = $1', [json.taskId]);
      expect(row?.['payload'].attachments).toEqual([
        { filename: 'report.txt', content: Buffer.from('attached').toString('base64') },
      ]);
    },
  );

  describe('a task enqueued by SQL', () => {
    async function runWith(attachment: object, attachmentsFrom: string[] = []) {
      await using server = await scriptedSmtpServer();
      await configure({ url: `smtp://127.0.0.1:${server.port}`, hasDatabase: true, attachmentsFrom });
      const payload = { to: 'bob@x.test', subject: 'Hello', attachments: [attachment] };
      const [enqueued] = await database.query(`select tend.enqueue('send-mail', $1) as id`, [payload]);
      const tick = await runCli(['run-due-tasks'], { cwd: directory.path });
      return { row: await task(Number(enqueued?.['id'])), messages: server.messages, tick };
    }

    it.each<[string[]]>([[[]], [['media']]])(
      'gets no file from outside the directories %j, and fails for good',
      async (attachmentsFrom) => {
        await mkdir(join(directory.path, 'media'));
        const { row, messages, tick } = await runWith({ path: 'tend.toml' }, attachmentsFrom);
        expect(row).toMatchObject({ state: 'failed', delivery: null });
        expect(row?.['last_error']).toMatch(/"tend\.toml" was not read: .*\[mail\] attachments_from/);
        expect([messages, tick.exitCode]).toEqual([[], 3]);
      },
    );

    it('gets a file from a directory that is permitted', async () => {
      await mkdir(join(directory.path, 'media'));
      await writeFile(join(directory.path, 'media/a.txt'), 'attached');
      const { row, messages } = await runWith({ path: 'media/a.txt' }, ['media']);
      expect(row).toMatchObject({ state: 'succeeded', delivery: 'sent' });
      expect(messages[0]).toContain(Buffer.from('attached').toString('base64'));
    });

    it('is told the field where it carries no base64', async () => {
      const { row } = await runWith({ content: 'not base64!', filename: 'a.txt' });
      expect(row).toMatchObject({ state: 'failed' });
      expect(row?.['last_error']).toContain('attachments.0.content: this is not base64');
    });
  });

  it('with --queue refuses a bad address while the person is still there', async () => {
    const { exitCode } = await sendTo(
      {},
      ['--to', 'nobody', '--subject', 's', '--text', 't', '--queue'],
      true,
    );
    expect(exitCode).toBe(65);
  });

  it('sends all the same where the queue is not there yet', async () => {
    await using empty = await createTestDatabase({ empty: true });
    await using server = await scriptedSmtpServer();
    const config = `[database]\nurl = ${JSON.stringify(empty.url)}\n[mail]\nurl = "smtp://127.0.0.1:${server.port}"\nfrom = "a@x.test"\n`;
    await writeFile(join(directory.path, 'tend.toml'), config);
    const { exitCode, json } = await send([...hello, '--json']);
    expect([exitCode, json.taskId, server.messages.length]).toEqual([0, null, 1]);
  });
});

describe('tend send-mail --message', () => {
  const whole =
    'From: a@x.test\nTo: Ann <ann@x.test>\nBcc: hidden@x.test\nMessage-ID: <own@x.test>\nSubject: żółw\n\nHi\n.\nthere\n';

  async function sendWhole(args: string[], hasDatabase = false) {
    await using server = await scriptedSmtpServer();
    await configure({ url: `smtp://127.0.0.1:${server.port}`, hasDatabase });
    const ran = await send(['--message', '-', '--json', ...args], whole);
    return { ...ran, messages: server.messages, recipients: server.recipients, commands: server.commands };
  }

  it.each([
    [[], ['ann@x.test', 'hidden@x.test']],
    [
      ['--to', 'Eve <eve@x.test>', '--bcc', 'bob@x.test'],
      ['eve@x.test', 'bob@x.test'],
    ],
  ])('with %j goes to %j', async (args, expected) => {
    const { exitCode, json, messages, recipients } = await sendWhole(args);
    expect([exitCode, recipients, json.accepted, json.messageId]).toEqual([
      0,
      expected,
      expected,
      '<own@x.test>',
    ]);
    expect(messages[0]).toMatch(/^From: a@x\.test\r\n[\s\S]*\r\n\r\nHi\r\n\.\r\nthere\r\n$/);
    expect(messages[0]).not.toMatch(/hidden|eve|bob/);
  });

  it('with a database is a task with its history, and its bytes are kept', async () => {
    const { exitCode, json, messages } = await sendWhole([], true);
    expect([exitCode, messages.length]).toEqual([0, 1]);
    const rows = await database.query(
      `select t.state, t.payload, d.state as delivery, d.message_id, convert_from(d.raw, 'utf8') as raw
         from tend.tasks t join tend.deliveries d on d.task_id = t.id where t.id = $1`,
      [json.taskId],
    );
    expect(rows).toEqual([
      {
        state: 'succeeded',
        payload: { to: ['ann@x.test', 'hidden@x.test'], subject: expect.stringContaining('=?UTF-8?B?') },
        delivery: 'sent',
        message_id: '<own@x.test>',
        raw: messages[0],
      },
    ]);
  });

  it('with --queue leaves it to the next tick', async () => {
    const { exitCode, json, messages } = await sendWhole(['--queue'], true);
    expect([exitCode, messages, typeof json.taskId]).toEqual([0, [], 'number']);
  });

  it('with --eml writes the exact bytes that would leave', async () => {
    const { json } = await sendWhole(['--eml', 'm.eml']);
    const { messages } = await sendWhole(['--to', 'ann@x.test']);
    const withoutDate = (text = '') => text.replace(/^Date: .*$/m, '');
    expect(withoutDate(await readFile(json.file, 'utf8'))).toBe(withoutDate(messages[0]));
  });

  it('with --dry-run asks the server, and sends nothing', async () => {
    const { exitCode, json, messages } = await sendWhole(['--dry-run']);
    expect([exitCode, messages, json.check.recipients.length]).toEqual([0, [], 2]);
  });

  it('reads a file, and exits 66 where there is none', async () => {
    await configure({ url: 'eml:out' });
    await writeFile(join(directory.path, 'm.eml'), whole);
    expect((await send(['--message', 'm.eml', '--json'])).json).toMatchObject({ messageId: '<own@x.test>' });
    expect(await send(['--message', 'none.eml'])).toMatchObject({ exitCode: 66 });
  });

  it('exits 64 beside flags that make a message', async () => {
    expect(await sendWhole(['--subject', 's'])).toMatchObject({ exitCode: 64, messages: [] });
  });
});
