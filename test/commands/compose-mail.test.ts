import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { headerIn, parseWithPython } from '../mail/parse-with-python.ts';
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
  await mkdir(join(directory.path, 'mail'));
  await keep('tend.toml', '[mail]\nurl = "eml:out"\nfrom = "CMS <cms@example.org>"\ntemplates = "mail"\n');
  await keep('mail/welcome.subject', 'Hello {{ name }}');
  await keep('mail/welcome.txt', 'Dear {{ name }}\n');
  await keep('mail/welcome.pl.txt', 'Cześć {{ name }}\n');
  return async () => await directory[Symbol.asyncDispose]();
});

async function keep(name: string, content: string | Buffer): Promise<void> {
  await writeFile(join(directory.path, name), content);
}

const bob = ['--to', 'bob@x.test'];

async function send(args: string[], stdin?: string | Buffer) {
  const options = { cwd: directory.path, ...(stdin === undefined ? {} : { stdin: stdin.toString() }) };
  return await runCli(['send-mail', ...bob, ...args], options);
}

/** The message as another program reads it. */
async function composed(args: string[], stdin?: string) {
  const ran = await send([...args, '--eml', 'message.eml'], stdin);
  expect(ran.stderr).toBe('');
  const [message] = parseWithPython([await readFile(join(directory.path, 'message.eml'))]);
  if (message === undefined) throw new Error('nothing was written');
  return message;
}

describe('tend send-mail', () => {
  it.each<[string, string[], string | undefined]>([
    ['JSON', ['--data', '{"name": "Zoë"}'], undefined],
    ['a file', ['--data', '@data.json'], undefined],
    ['standard input', ['--data', '@-'], '{"name": "Zoë"}'],
  ])('fills a template in with data from %s', async (_, args, stdin) => {
    await keep('data.json', '{"name": "Zoë"}');
    const message = await composed(['--template', 'welcome', '--locale', 'pl_PL', ...args], stdin);
    expect(headerIn(message, 'subject')).toBe('Hello Zoë');
    expect(message.parts[0]?.content).toBe('Cześć Zoë\n');
  });

  it('attaches files, standard input under a name, and pictures that the html shows', async () => {
    await keep('a.txt', 'file');
    await keep('logo.png', 'png');
    const message = await composed(
      [
        ...['--subject', 's', '--html', '<img src="cid:logo">', '--inline', 'logo=logo.png'],
        ...['--attach', 'a.txt', '--attach', '-', '--attach-name', 'Raport ż.csv'],
      ],
      'a;b\n',
    );
    expect(message.parts.map(({ filename, cid, content }) => [filename, cid, content])).toEqual([
      [null, null, '<img src="cid:logo">'],
      ['logo.png', '<logo>', Buffer.from('png').toString('base64')],
      ['a.txt', null, 'file'],
      ['Raport ż.csv', null, 'a;b\n'],
    ]);
  });

  it('says how important a message is', async () => {
    const message = await composed(['--subject', 's', '--text', 't', '--importance', 'high']);
    expect(headerIn(message, 'importance')).toBe('high');
  });

  it.each<[number, string, string[]]>([
    [64, 'needs a name', ['--subject', 's', '--attach', '-']],
    [65, 'welcome.subject:1 uses "name", which the data does not have', ['--template', 'welcome']],
    [64, 'cannot also be provided', ['--template', 'welcome', '--text', 't']],
    [64, 'is not a time', ['--subject', 's', '--text', 't', '--queue', '--expires', 'soon']],
    [64, '--queue', ['--subject', 's', '--text', 't', '--expires', '1h']],
  ])('exits %d and says %j for %j', async (exitCode, text, args) => {
    const ran = await send(args, '');
    expect(ran.stderr).toContain(text);
    expect(ran.exitCode).toBe(exitCode);
  });

  it('queues with a priority, not before a time, and until another', async () => {
    await keep(
      'tend.toml',
      `[database]\nurl = ${JSON.stringify(database.url)}\n[mail]\nurl = "eml:out"\nfrom = "a@x.test"\n`,
    );
    const times = ['--not-before', '2h', '--expires', '2099-12-24T18:00:00+01:00', '--priority', '-5'];
    const ran = await send(['--subject', 's', '--text', 't', '--queue', ...times, '--json']);
    expect(ran.exitCode).toBe(0);
    const rows = await database.query(
      `select priority, payload->>'expiresAt' as expires, run_at between now() + interval '110 minutes' and now() + interval '2 hours' as later
         from tend.tasks where id = $1`,
      [JSON.parse(ran.stdout).taskId],
    );
    expect(rows).toEqual([{ priority: -5, expires: '2099-12-24T17:00:00.000Z', later: true }]);
  });
});
