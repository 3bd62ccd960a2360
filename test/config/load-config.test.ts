import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findConfigWarnings } from '../../src/config/find-config-warnings.ts';
import { type ConfigOverride, loadConfig } from '../../src/config/load-config.ts';
import { readOrigins } from '../../src/config/read-origins.ts';
import { TendError } from '../../src/errors.ts';
import { SecretRegistry } from '../../src/redact.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

let directory: TemporaryDirectory;
beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(async () => {
  await directory[Symbol.asyncDispose]();
});

interface Given {
  toml?: string;
  env?: Record<string, string>;
  overrides?: ConfigOverride[];
  configFlag?: string;
  cwd?: string;
  secrets?: SecretRegistry;
}

async function load({
  toml,
  env = {},
  overrides = [],
  configFlag,
  cwd,
  secrets = new SecretRegistry(),
}: Given) {
  if (toml !== undefined) await writeFile(join(directory.path, 'tend.toml'), toml);
  return loadConfig({ cwd: cwd ?? directory.path, env, configFlag, overrides, secrets });
}

async function failure(given: Given): Promise<TendError> {
  try {
    await load(given);
  } catch (error) {
    if (error instanceof TendError) return error;
    throw error;
  }
  throw new Error('The configuration was accepted');
}

describe('which file', () => {
  it('is the nearest tend.toml from the working directory upward', async () => {
    const deep = join(directory.path, 'a/b');
    await mkdir(deep, { recursive: true });
    const { configPath, baseDirectory } = await load({ toml: '', cwd: deep });
    expect(configPath).toBe(join(directory.path, 'tend.toml'));
    expect(baseDirectory).toBe(directory.path);
  });

  it('is none, with all defaults, where there is none', async () => {
    const { configPath, baseDirectory, config } = await load({});
    expect(configPath).toBeUndefined();
    expect(baseDirectory).toBe(directory.path);
    expect(config.tasks.concurrency).toBe(4);
  });

  it('is that of --config before that of TEND_CONFIG', async () => {
    await writeFile(join(directory.path, 'flag.toml'), '[tasks]\nconcurrency = 1');
    await writeFile(join(directory.path, 'variable.toml'), '[tasks]\nconcurrency = 2');
    const env = { TEND_CONFIG: 'variable.toml' };
    expect((await load({ env })).config.tasks.concurrency).toBe(2);
    expect((await load({ env, configFlag: 'flag.toml' })).config.tasks.concurrency).toBe(1);
  });

  it.each([
    { by: '--config', given: { configFlag: 'none.toml' } },
    { by: 'TEND_CONFIG', given: { env: { TEND_CONFIG: 'none.toml' } } },
  ])('must exist when $by names it', async ({ by, given }) => {
    const error = await failure(given);
    expect(error).toMatchObject({ code: 'CONFIG_NOT_FOUND', exitCode: 78 });
    expect(error.message).toContain(`named by ${by} does not exist`);
  });
});

describe('precedence', () => {
  it('is flags before environment before file before default, each with its origin', async () => {
    const loaded = await load({
      toml: '[tasks]\nconcurrency = 2\ndeadline = "40s"\nlease = "30s"\n',
      env: { TEND_TASKS_CONCURRENCY: '3', TEND_TASKS_DEADLINE: '30s' },
      overrides: [{ path: ['tasks', 'concurrency'], value: 9, flag: '--concurrency' }],
    });
    const file = join(directory.path, 'tend.toml');
    const shown = readOrigins(loaded).filter(({ key }) => key.startsWith('tasks.'));
    expect(shown).toEqual([
      { key: 'tasks.concurrency', value: 9, origin: '--concurrency' },
      { key: 'tasks.deadline', value: '30s', origin: 'TEND_TASKS_DEADLINE' },
      { key: 'tasks.lease', value: '30s', origin: `${file}:4` },
      { key: 'tasks.grace', value: '25s', origin: 'default' },
      { key: 'tasks.keep_succeeded', value: '1w', origin: 'default' },
      { key: 'tasks.keep_failed', value: '90d', origin: 'default' },
    ]);
    expect(loaded.config.tasks.deadline).toBe(30_000);
  });

  it.each([
    { variable: 'TEND_BACKUP_DIRECTORY', text: '/b', path: ['backup', 'directory'], value: '/b' },
    { variable: 'TEND_MAIL_URL', text: 'smtp://h', path: ['mail', 'url'], value: 'smtp://h' },
    {
      variable: 'TEND_TRANSLATIONS_ON_BAD_MESSAGE',
      text: 'drop',
      path: ['translations', 'on_bad_message'],
      value: 'drop',
    },
    { variable: 'TEND_APP_CHECK_URL', text: 'http://h/', path: ['app', 'check', 'url'], value: 'http://h/' },
    { variable: 'TEND_APP_CHECK_STATUS', text: '204', path: ['app', 'check', 'status'], value: 204 },
  ])('lets $variable set a simple key', async ({ variable, text, path, value }) => {
    const { config } = await load({ env: { [variable]: text } });
    let found: unknown = config;
    for (const key of path) found = Object(found)[key];
    expect(found).toBe(value);
  });

  it('counts an empty variable as unset', async () => {
    expect((await load({ env: { TEND_TASKS_CONCURRENCY: '' } })).config.tasks.concurrency).toBe(4);
  });

  it('notes a TEND_ variable that names no setting', async () => {
    expect((await load({ env: { TEND_BACKUP_DIRCTORY: '/b' } })).unknownVariables).toEqual([
      'TEND_BACKUP_DIRCTORY',
    ]);
  });

  it('names the variable whose value is wrong', async () => {
    const error = await failure({ env: { TEND_TASKS_CONCURRENCY: 'many' } });
    expect(error.message).toBe(
      'TEND_TASKS_CONCURRENCY: tasks.concurrency: a whole number from 1 to 200 was expected',
    );
  });
});

describe('a wrong configuration', () => {
  it.each([
    {
      what: 'a value out of range',
      toml: '# top\n[tasks]\n\nconcurrency = 0\n',
      message: 'tend.toml:4: tasks.concurrency: a whole number from 1 to 200 was expected',
    },
    {
      what: 'an unknown key, with the one that was meant',
      toml: '[backup]\ndirectroy = "/b"\n',
      message: 'tend.toml:2: backup.directroy: this key is not known; did you mean "directory"?',
    },
    {
      what: 'an unknown table',
      toml: '[nonsense]\na = 1\n',
      message: 'tend.toml:1: nonsense: this key is not known',
    },
    {
      what: 'a kind that says nothing to run, at its table',
      toml: '\n[tasks.kinds.resize]\ntimeout = "1m"\n',
      message: 'tend.toml:2: tasks.kinds.resize: one of "command" and "module" was expected, and only one',
    },
    {
      what: 'a kind with a command and a module',
      toml: '[tasks.kinds.resize]\ncommand = ["x"]\nmodule = "x.js"\n',
      message: 'tend.toml:1: tasks.kinds.resize: one of "command" and "module" was expected, and only one',
    },
    {
      what: 'a module that is no file of JavaScript',
      toml: '[tasks.kinds.resize]\nmodule = "./tasks/resize.py"\n',
      message: 'tend.toml:2: tasks.kinds.resize.module: the path of a .js, .mjs or .ts file was expected',
    },
    {
      what: 'a misspelt key of a kind',
      toml: '[tasks.kinds.resize]\nmodule = "x.js"\ndirektory = "/x"\n',
      message: 'tend.toml:3: tasks.kinds.resize.direktory: this key is not known; did you mean "directory"?',
    },
    {
      what: 'a key inside an inline table',
      toml: '[app]\ncheck = { url = "http://h", statsu = 200 }\n',
      message: 'tend.toml:2: app.check.statsu: this key is not known; did you mean "status"?',
    },
    {
      what: 'a wrong duration',
      toml: '[tasks]\ndeadline = "soon"\n',
      message:
        'tend.toml:2: tasks.deadline: a duration such as "90s", "10m" or "7d" was expected, not "soon"',
    },
    {
      what: 'a text where a table belongs',
      toml: 'tasks = "four"\n',
      message: 'tend.toml:1: tasks: a table was expected',
    },
    {
      what: 'text that is no TOML',
      toml: '[tasks]\nconcurrency = = 3\n',
      message: 'tend.toml:2:15: this is not valid TOML: ',
    },
  ])('names file, line, key and what was expected for $what', async ({ toml, message }) => {
    const error = await failure({ toml });
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 78 });
    expect(error.message).toContain(join(directory.path, message));
  });

  it.each([
    ['a mail server of another scheme', '[mail]\nurl = "http://h"\n', 2, 'mail.url: smtp://…, smtps://…'],
    ['a mail server without a scheme', '[mail]\nurl = "h:25"\n', 2, 'mail.url: smtp://'],
    ['a mail server without a host', '[mail]\nurl = "smtp://"\n', 2, 'mail.url: smtp://'],
    ['a sender that is no address', '[mail]\nfrom = "me"\n', 2, 'mail.from: an address such as'],
    ['two addresses', '[mail]\nredirect_all = "a@b, c@d"\n', 2, 'mail.redirect_all: an address such as'],
    [
      'a reference where none is read',
      '[mail]\nredirect_all = "env:X"\n',
      2,
      'mail.redirect_all: an address',
    ],
    ['another database', '[database]\nurl = "mysql://u:canary@h/d"\n', 2, 'database.url: a URL of the form'],
    [
      'two databases',
      '[database]\nurl = "env:X"\nfrom = ".env"\n',
      3,
      'database.from: only one of "url" and',
    ],
    [
      'a kind of ours',
      '[tasks.kinds.backup]\ncommand = ["x"]\n',
      1,
      'tasks.kinds.backup: this is the name of',
    ],
    [
      'a kind named __proto__',
      '[tasks.kinds.__proto__]\ncommand = ["x"]\n',
      1,
      'tasks.kinds.__proto__: this key is',
    ],
    [
      'a kind named constructor',
      '[tasks.kinds.constructor]\ncommand = ["x"]\n',
      1,
      'tasks.kinds.constructor: this key',
    ],
    ['a place that is a page', '[http]\nallow = ["https://a/b"]\n', 2, 'http.allow.0: a host such as'],
    ['half the world', '[http]\nallow = ["*.org"]\n', 2, 'http.allow.0: a host such as'],
    [
      'a name for an address',
      '[http]\nallow_private = ["localhost"]\n',
      2,
      'http.allow_private.0: an address',
    ],
    [
      'a network with a host in it',
      '[http]\nallow_private = ["10.1.2.3/24"]\n',
      2,
      'http.allow_private.0: an',
    ],
    ['a longer wait than the kind has', '[http]\ntimeout = "11m"\n', 2, 'http.timeout: at most "10m"'],
    [
      'a header that the connection decides',
      '[http]\nallow = ["a"]\n[http.headers.a]\nHost = "b"\n',
      4,
      'http.headers.a.Host: this header cannot be set',
    ],
    [
      'a header with two lines',
      '[http]\nallow = ["a"]\n[http.headers.a]\nX = "canary\\nb"\n',
      4,
      'http.headers.a.X: the value contains a line break',
    ],
    [
      'a header twice',
      '[http]\nallow = ["a"]\n[http.headers.a]\nx-a = "1"\nX-A = "2"\n',
      3,
      'http.headers.a: a header stands here twice',
    ],
    [
      'headers for many hosts',
      '[http]\nallow = ["*.a.b"]\n[http.headers."*.a.b"]\nX = "1"\n',
      3,
      'http.headers.*.a.b: headers belong to one host',
    ],
    [
      'headers for a host that nothing goes to',
      '[http]\nallow = ["http://a"]\n[http.headers.a]\nX = "1"\n',
      3,
      'http.headers.a: nothing is ever sent there: "a" is not in http.allow',
    ],
    ['a limit of none', '[tasks.limits]\nnoop = 0\n', 2, 'tasks.limits.noop: a whole number from 1 to 10000'],
    ['a limit by words', '[tasks.limits]\nnoop = "few"\n', 2, 'tasks.limits.noop: a whole number from 1'],
    [
      'a limit of no kind',
      '[tasks.limits]\n"No Kind" = 1\n',
      2,
      'tasks.limits.No Kind: a kind is named with',
    ],
    ['a host that runs nothing', '[tasks]\nmax_running = 0\n', 2, 'tasks.max_running: a whole number from 1'],
    ['a table named __proto__', '[__proto__]\na = 1\n', 1, '__proto__: this key is not known'],
    [
      'a table named constructor',
      '[backup.constructor]\na = 1\n',
      1,
      'backup.constructor: this key is not known',
    ],
  ])('refuses %s, which would fail later, at its place', async (_what, toml, line, words) => {
    const error = await failure({ toml });
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 78 });
    expect(error.message).toContain(`${join(directory.path, 'tend.toml')}:${line}: ${words}`);
    expect(error.message).not.toContain('canary');
  });

  it.each([
    '[mail]\nurl = "env:SMTP_URL"\nfrom = "Bob <bob@localhost>"\nredirect_all = "ops+x@example.org"\n',
    '[mail]\nurl = "smtps://u:p%40@[::1]:465"\nfrom = "\\"Smith, B.\\" <b@müller.example>"\n',
    '[mail]\nurl = "SMTP://h:25/?tls=off"\n',
    '[mail]\nurl = "eml:mail-out"\n',
    '[database]\nurl = "env:DATABASE_URL"\n',
    '[database]\nurl = "postgresql+psycopg2://u:p@h/d"\n',
    '[database]\nurl = "host=/run/postgresql dbname=cms"\n',
    '[tasks.kinds.backup-photos]\ncommand = ["x"]\n',
    '[http]\nallow = ["a.example", "*.b.example:8443", "http://[::1]:80"]\nallow_private = ["10.0.0.0/8", "::1"]\n',
    '[http]\nallow = ["*.b.example"]\n[http.headers."a.b.example"]\nAuthorization = "env:TOKEN"\n',
    '[tasks.kinds.sync-crm]\nmodule = "./tasks/sync-crm.ts"\n',
    '[tasks]\nmax_running = 8\n[tasks.limits]\nsend-mail = 4\n"a.b" = 1\n',
  ])('accepts %j', async (toml) => {
    await expect(load({ toml })).resolves.toBeDefined();
  });

  it('lets TEND_DATABASE_URL win over a file that says from', async () => {
    const env = { TEND_DATABASE_URL: 'postgres:///cms' };
    const { config } = await load({ toml: '[database]\nfrom = ".env#DATABASE_URL"\n', env });
    expect(config.database.url).toBe('postgres:///cms');
  });

  it('reports all problems at once, in the order of the file', async () => {
    const { message } = await failure({
      toml: '[backup]\ncompresion = "none"\nfoo = 1\n[tasks]\nconcurrency = 0\nlease = "1s"\n',
    });
    expect(message.split('\n').map((line) => line.replace(`${directory.path}/`, '').trim())).toEqual([
      'The configuration has 4 problems:',
      'tend.toml:2: backup.compresion: this key is not known; did you mean "compression"?',
      'tend.toml:3: backup.foo: this key is not known',
      'tend.toml:5: tasks.concurrency: a whole number from 1 to 200 was expected',
      'tend.toml:6: tasks.lease: a lease is at least "2s"',
    ]);
  });

  it.each([
    '[database]\nurl = "postgres://u:canary-4711@h/db\n',
    '[database]\nurl = "postgres://u:canary-4711@h/db" x\n',
    '[database]\nurll = "postgres://u:canary-4711@h/db"\n',
    '[mail]\non_unknown = "canary-4711"\n',
    '[database]\nurl = ["canary-4711"]\n',
  ])('never quotes a value that may be a password: %j', async (toml) => {
    expect((await failure({ toml })).message).not.toContain('canary');
  });

  it('cannot reach the prototype of our objects', async () => {
    await failure({ toml: '[__proto__]\npolluted = true\n' });
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('a limit of a kind that is not known here', () => {
  const textsOf = async (toml: string) =>
    findConfigWarnings(await load({ toml })).map(({ place, text }) => `${place}: ${text}`);

  it('is a warning at its place, with the kind that was meant', async () => {
    expect(
      await textsOf(
        '[tasks.kinds."my.kind"]\ncommand = ["x"]\n[tasks.limits]\n"my.kin" = 1\nbackup = 1\n"my.kind" = 2\n',
      ),
    ).toEqual([
      `${join(directory.path, 'tend.toml')}:4: tasks.limits.my.kin limits a kind that is not known here; did you mean "my.kind"?`,
    ]);
  });
});

describe('a tools_directory without the programs', () => {
  it('is a warning that names them, and remotes are none', async () => {
    const [warning, ...others] = findConfigWarnings(
      await load({
        toml: '[backup]\ntools_directory = "/"\n[backup.remotes.offsite]\ntype = "s3"\nbucket = "b"\n',
      }),
    );
    expect(warning).toEqual({
      place: `${join(directory.path, 'tend.toml')}:2`,
      key: 'backup.tools_directory',
      text: '"/" has no pg_dump and no pg_restore: neither backups nor restores will work',
    });
    expect(others).toEqual([]);
  });
});

describe('[monitor] mail_to', () => {
  const mailTo = '[monitor]\nmail_to = ["ops@example.org", "Boss <boss@example.com>"]\n';
  const warningsOf = async (toml: string) =>
    findConfigWarnings(await load({ toml: mailTo + toml })).map(({ place, text }) => ({ place, text }));

  it('is one address or a list of them, each checked', async () => {
    expect((await load({ toml: '[monitor]\nmail_to = "ops@example.org"\n' })).config.monitor.mail_to).toBe(
      'ops@example.org',
    );
    for (const wrong of ['"ops"', '["ops@example.org", "boss@"]', '7']) {
      const { message } = await failure({ toml: `[monitor]\nmail_to = ${wrong}\n` });
      expect(message).toMatch(/tend\.toml:2: monitor\.mail_to.*: .*address.* was expected/);
    }
  });

  it('is a warning where there is no mail server, or no sender', async () => {
    const place = `${join(directory.path, 'tend.toml')}:2`;
    expect(await warningsOf('')).toEqual([
      { place, text: 'monitor.mail_to is told nothing: [mail] has no url and no from' },
    ]);
    expect(await warningsOf('[mail]\nurl = "eml:mails"\nfrom = "tend@example.org"\n')).toEqual([]);
  });

  it('is a warning where [mail] allow_domains bars a reader, unless all mail is redirected', async () => {
    const mail = '[mail]\nurl = "eml:mails"\nfrom = "tend@example.org"\nallow_domains = ["example.org"]\n';
    expect((await warningsOf(mail)).map(({ text }) => text)).toEqual([
      'monitor.mail_to "Boss <boss@example.com>" is told nothing: "example.com" is not in [mail] allow_domains',
    ]);
    expect(await warningsOf(`${mail}redirect_all = "dev@example.org"\n`)).toEqual([]);
  });
});

describe('secrets', () => {
  it('are the passwords that stand in the configuration, as written and decoded', async () => {
    const secrets = new SecretRegistry();
    await load({ toml: '[database]\nurl = "postgres://u:canary%2F4711@h/db"\n', secrets });
    expect(secrets.redact('canary%2F4711 canary/4711')).toBe('*** ***');
  });
});
