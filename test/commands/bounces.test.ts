import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bounceFixture } from '../mail/bounces/fixture.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

let database: TestDatabase;
let directory: TemporaryDirectory;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => await database[Symbol.asyncDispose]());
beforeEach(async () => {
  await database.query('truncate tend.deliveries, tend.suppressions');
  directory = await temporaryDirectory();
  for (const name of ['new', 'cur', 'tmp']) await mkdir(join(directory.path, name));
  return async () => await directory[Symbol.asyncDispose]();
});

const messageId = '<sent@example.org>';

async function sendTo(status: 'accepted' | 'waiting', state: 'sent' | 'committing'): Promise<void> {
  await database.query(
    `insert into tend.deliveries (message_id, envelope_from, recipients, raw, state)
     values ($1, 'cms@example.org', $2, '', $3)`,
    [messageId, JSON.stringify([{ address: 'bob@example.net', status }]), state],
  );
}

async function bounces(args: string[], options: { stdin?: Buffer; env?: Record<string, string> } = {}) {
  const ran = await runCli(['send-mail', 'bounces', ...args], { env: database.env, ...options });
  return { ...ran, json: args.includes('--json') ? JSON.parse(ran.stdout) : undefined };
}

const deliver = async (name: string, raw: Buffer | string) =>
  await writeFile(join(directory.path, 'new', name), raw);
const list = async (folder: string) => (await readdir(join(directory.path, folder))).sort();

describe('tend send-mail bounces on a Maildir', () => {
  it('records reports, files them as seen, and leaves all other mail alone', async () => {
    await sendTo('accepted', 'sent');
    const report = await bounceFixture('postfix', { messageId });
    await deliver('1.report.web1', report);
    await deliver('2.letter.web1', 'Subject: Hello\n\nHi\n');
    await deliver('3.foreign.web1', await bounceFixture('postfix', { messageId: '<other@x.test>' }));
    await deliver('4.odd.web1', report.toString().replace(/^Action.*\n/m, ''));
    await symlink('/etc/passwd', join(directory.path, 'new', '5.link.web1'));
    await mkdir(join(directory.path, 'new', '6.directory'));
    const { exitCode, json, stderr } = await bounces(['--maildir', directory.path, '--json']);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(json).toMatchObject({ bounced: 1, suppressed: 1, unmatched: 1, notUnderstood: 1, otherMail: 1 });
    expect(json.messages[0]).toEqual({
      file: '1.report.web1',
      outcome: 'recorded',
      messageId,
      reason: null,
      recipients: [{ address: 'bob@example.net', outcome: 'bounced', status: '5.1.1', isSuppressed: true }],
    });
    expect(await list('cur')).toEqual(['1.report.web1:2,S']);
    expect(await list('new')).toEqual([
      '2.letter.web1',
      '3.foreign.web1',
      '4.odd.web1',
      '5.link.web1',
      '6.directory',
    ]);
    expect(await readFile(join(directory.path, 'cur/1.report.web1:2,S'))).toEqual(report);
    const again = await bounces(['--maildir', directory.path]);
    expect(again).toMatchObject({ exitCode: 0, stdout: '' });
    expect(again.stderr).toBe('warning: 4.odd.web1 was left alone: it names no recipient\n');
  });

  it('leaves a report where it is until the database has it', async () => {
    await deliver('1.report', await bounceFixture('postfix', { messageId }));
    const env = { PGHOST: directory.path, PGDATABASE: 'gone', PGUSER: 'nobody' };
    expect(await bounces(['--maildir', directory.path], { env })).toMatchObject({ exitCode: 69 });
    await sendTo('waiting', 'committing');
    expect((await bounces(['--maildir', directory.path, '--json'])).json).toMatchObject({ early: 1 });
    expect([await list('new'), await list('cur')]).toEqual([['1.report'], []]);
  });

  it('finishes what was killed between the database and the move', async () => {
    await sendTo('accepted', 'sent');
    const report = await bounceFixture('postfix', { messageId });
    await bounces(['--maildir', '-'], { stdin: report });
    await deliver('1.report', report);
    const { json } = await bounces(['--maildir', directory.path, '--json']);
    expect(json).toMatchObject({ bounced: 0, repeated: 1, suppressed: 0 });
    expect(await list('cur')).toEqual(['1.report:2,S']);
  });

  it('killed at any moment, loses no report and records none twice', async () => {
    const count = 150;
    await database.query(
      `insert into tend.deliveries (message_id, envelope_from, recipients, raw, state)
       select '<' || n || '@example.org>', 'cms@example.org',
              '[{"address": "bob@example.net", "status": "accepted"}]', '', 'sent' from generate_series(1, $1::int) n`,
      [count],
    );
    for (let n = 1; n <= count; n++)
      await deliver(`${n}.report`, await bounceFixture('postfix', { messageId: `<${n}@example.org>` }));
    const args = ['send-mail', 'bounces', '--maildir', directory.path];
    for (const enough of [10, 50, 90]) {
      const { child, result } = await startCli(args, { env: database.env });
      while (child.exitCode === null && (await list('cur')).length < enough) await sleep(2);
      child.kill('SIGKILL');
      await result;
    }
    const filed = (await list('cur')).length;
    const { json } = await bounces(['--maildir', directory.path, '--json']);
    expect(json.bounced + json.repeated).toBe(count - filed);
    expect([await list('new'), (await list('cur')).length]).toEqual([[], count]);
    const [row] = await database.query(
      'select count(*)::int as bounced from tend.deliveries where bounced_at is not null',
    );
    expect(row).toEqual({ bounced: count });
  });

  it('exits 66 where there is none, and 78 where none is configured or named', async () => {
    expect(await bounces(['--maildir', join(directory.path, 'cur')])).toMatchObject({ exitCode: 66 });
    expect(await bounces([])).toMatchObject({
      exitCode: 78,
      stderr: expect.stringContaining('[mail] bounces is missing'),
    });
  });

  it('takes the one of tend.toml', async () => {
    const config = join(directory.path, 'tend.toml');
    await writeFile(config, `[database]\nurl = ${JSON.stringify(database.url)}\n[mail]\nbounces = "."\n`);
    await sendTo('accepted', 'sent');
    await deliver('1.report', await bounceFixture('qmail', { messageId }));
    expect((await bounces(['--config', config, '--json'])).json).toMatchObject({ bounced: 1 });
  });

  it('of the original is left alone by a copy of its database', async () => {
    await using copy = await createTestDatabase();
    await copy.query('update tend.meta set database_oid = 1');
    await deliver('1.report', await bounceFixture('postfix', { messageId }));
    expect(await bounces(['--maildir', directory.path], { env: copy.env })).toMatchObject({ exitCode: 78 });
    expect(await list('new')).toEqual(['1.report']);
  });
});

describe('tend send-mail bounces in a pipe of a mail server', () => {
  const pipe = async (stdin: Buffer, more: { env?: Record<string, string> } = {}) =>
    await bounces(['--maildir', '-', '--json'], { stdin, ...more });

  it('records the report, silently', async () => {
    await sendTo('accepted', 'sent');
    const { exitCode, json } = await pipe(await bounceFixture('exim', { messageId }));
    expect([exitCode, json.bounced]).toEqual([0, 1]);
    expect(await database.query('select bounced_at is not null as bounced from tend.deliveries')).toEqual([
      { bounced: true },
    ]);
  });

  it('exits 75 for whatever may be better later: no database, wrong settings, a message on its way', async () => {
    const report = await bounceFixture('exim', { messageId });
    const env = { PGHOST: directory.path, PGDATABASE: 'gone', PGUSER: 'nobody' };
    expect(await pipe(report, { env })).toMatchObject({ exitCode: 75 });
    const config = join(directory.path, 'broken.toml');
    await writeFile(config, '[mail\n');
    expect(await pipe(report, { env: { ...database.env, TEND_CONFIG: config } })).toMatchObject({
      exitCode: 75,
    });
    await sendTo('waiting', 'committing');
    expect(await pipe(report)).toMatchObject({ exitCode: 75 });
  });

  it('exits 0 for a report about mail of others, which nobody would want back', async () => {
    expect(await pipe(await bounceFixture('exim', { messageId: '<other@x.test>' }))).toMatchObject({
      exitCode: 0,
    });
  });

  it('exits 65 for what is no report', async () => {
    expect(await pipe(Buffer.from('Subject: Hello\n\nHi\n'))).toMatchObject({ exitCode: 65 });
  });
});
