import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readApplicationSettings } from '../../../src/config/readers/read-application-settings.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** Reads `reference` beside `files`; the temporary directory's path appears as `/dir`. */
async function read(reference: string, files: Record<string, string>, env: Record<string, string> = {}) {
  await using directory = await temporaryDirectory();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory.path, name)), { recursive: true });
    await writeFile(join(directory.path, name), content);
  }
  const secrets = new SecretRegistry();
  const options = { reference, section: 'tend.toml [database]', baseDirectory: directory.path, secrets, env };
  const plain = (text: string) => text.replaceAll(directory.path, '/dir');
  try {
    const found = await readApplicationSettings(options);
    return 'url' in found ? { ...found, url: plain(found.url) } : found;
  } catch (error) {
    if (error instanceof Error) error.message = plain(error.message);
    throw error;
  }
}

const invalid = (problem: string) => ({
  code: 'CONNECTION_SETTINGS_INVALID',
  exitCode: 78,
  message: expect.stringContaining(problem),
});

describe('a Paste Deploy file', () => {
  const url = 'postgresql://me:pw@db/cms';
  test.each([
    ['the section that is named', 'p.ini#app:main', { 'p.ini': `[app:main]\nsqlalchemy.url = ${url}` }, url],
    ['[app:main] when none is named', 'p.ini', { 'p.ini': `[app:main]\nsqlalchemy.url: ${url}` }, url],
    ['a short name', 'p.ini#cms', { 'p.ini': `[app:cms]\nsqlalchemy.url=${url}` }, url],
    ['alembic.ini', 'alembic.ini#alembic', { 'alembic.ini': `[alembic]\nsqlalchemy.url = ${url}` }, url],
    [
      'comments, continuation lines and a byte order mark',
      'p.ini',
      {
        'p.ini': `\uFEFF# c\n; c\n[app:main]\nuse = egg:cms\nlist =\n  one\n  = two\nsqlalchemy.url = ${url}\n`,
      },
      url,
    ],
    [
      '%(here)s',
      'p.ini',
      { 'p.ini': '[app:main]\nsqlalchemy.url = postgresql:///x?host=%(here)s/run' },
      'postgresql:///x?host=/dir/run',
    ],
    [
      'references into the section',
      'p.ini',
      { 'p.ini': '[app:main]\nname=cms\nsqlalchemy.url = postgresql:///%(name)s' },
      'postgresql:///cms',
    ],
    [
      'references into [DEFAULT], which the section may override',
      'p.ini',
      { 'p.ini': '[DEFAULT]\na=x\nb=%(a)s2\n[app:main]\na=y\nsqlalchemy.url = postgresql:///%(b)s' },
      'postgresql:///y2',
    ],
    [
      'the URL in [DEFAULT]',
      'p.ini',
      { 'p.ini': `[DEFAULT]\nsqlalchemy.url = ${url}\n[app:main]\nuse = egg:cms` },
      url,
    ],
    [
      '%% for a percent sign',
      'p.ini',
      { 'p.ini': '[app:main]\nsqlalchemy.url = postgresql://me:p%%40ss@db' },
      'postgresql://me:p%40ss@db',
    ],
    [
      'use = another section',
      'p.ini',
      { 'p.ini': `[app:main]\nuse = base\n[app:base]\nsqlalchemy.url = ${url}` },
      url,
    ],
    [
      'use = config:other.ini#section',
      'p.ini',
      {
        'p.ini': '[app:main]\nuse = config:etc/base.ini#cms',
        'etc/base.ini': '[app:cms]\nsqlalchemy.url = postgresql:///%(here)s',
      },
      'postgresql:////dir/etc',
    ],
    [
      'use = config:other.ini with its [app:main]',
      'p.ini',
      { 'p.ini': '[app:main]\nuse = config:base.ini', 'base.ini': `[app:main]\nsqlalchemy.url = ${url}` },
      url,
    ],
    [
      'an own value over the one of use',
      'p.ini',
      {
        'p.ini': `[app:main]\nuse = config:base.ini\nsqlalchemy.url = ${url}`,
        'base.ini': '[app:main]\nsqlalchemy.url = no',
      },
      url,
    ],
    [
      '[DEFAULT] handed on to the used file',
      'p.ini',
      {
        'p.ini': '[DEFAULT]\nname = cms\n[app:main]\nuse = config:base.ini',
        'base.ini': '[app:main]\nsqlalchemy.url = postgresql:///%(name)s',
      },
      'postgresql:///cms',
    ],
    [
      'the application of a pipeline',
      'p.ini#main',
      { 'p.ini': `[pipeline:main]\npipeline = egg:gzip\n  cms\n[app:cms]\nsqlalchemy.url = ${url}` },
      url,
    ],
    [
      'the application of a composite',
      'p.ini#main',
      { 'p.ini': `[composite:main]\nuse = egg:Paste#urlmap\nsqlalchemy.url = ${url}` },
      url,
    ],
  ])('gives %s', async (_title, reference, files, expected) => {
    expect(await read(reference, files)).toEqual({ url: expected, origin: reference });
  });

  test.each([
    [
      'no such section',
      { 'p.ini': '[app:cms]\n[server:main]' },
      '"/dir/p.ini" has no section [app:main], only [app:cms] [server:main]',
    ],
    [
      'no such key',
      { 'p.ini': '[app:main]\nuse = egg:cms' },
      '[app:main] in "/dir/p.ini" has none of sqlalchemy.url,',
    ],
    [
      'a bare percent sign',
      { 'p.ini': '[app:main]\n\nsqlalchemy.url = postgresql://me:s3cret%40@db' },
      '"/dir/p.ini", line 3 are invalid: a single "%"',
    ],
    [
      'an unknown reference',
      { 'p.ini': '[app:main]\nsqlalchemy.url = %(nope)s s3cret' },
      'line 2 are invalid: %(nope)s is not defined',
    ],
    [
      'a reference to itself',
      { 'p.ini': '[app:main]\nsqlalchemy.url = %(sqlalchemy.url)s' },
      'go round in a circle',
    ],
    ['a use of itself', { 'p.ini': '[app:main]\nuse = main' }, 'goes round in a circle'],
    [
      'a use of a missing file',
      { 'p.ini': '[app:main]\nuse = config:gone.ini' },
      '"use" in "/dir/p.ini" names the file "/dir/gone.ini", but it does not exist.',
    ],
    [
      'a line that is nothing',
      { 'p.ini': '[app:main]\ns3cret' },
      '"/dir/p.ini", line 2 are invalid: [section] or key = value was expected',
    ],
    ['a value before any section', { 'p.ini': 'a = s3cret' }, 'line 1 are invalid'],
  ])('is refused with its place: %s', async (_title, files, problem) => {
    const failure = read('p.ini', files);
    await expect(failure).rejects.toMatchObject(invalid(problem));
    await expect(failure).rejects.not.toMatchObject({ message: expect.stringContaining('s3cret') });
  });
});

describe('a .env file', () => {
  test.each([
    ['.env#CMS_URL', 'CMS_URL="postgresql://db/cms" # quoted\n', 'postgresql://db/cms'],
    ['.env', 'export DATABASE_URL=postgresql://db/cms', 'postgresql://db/cms'],
    ['prod.env#DATABASE_URL', "DATABASE_URL='postgresql://me:a#b@db'", 'postgresql://me:a#b@db'],
  ])('%s', async (reference, content, url) => {
    expect(await read(reference, { [reference.split('#')[0] ?? '']: content })).toEqual({
      url,
      origin: reference,
    });
  });

  test.each([
    ['OTHER=1', '"/dir/.env" does not set DATABASE_URL'],
    ['DATABASE_URL=postgresql://me:${DB_PASSWORD}@db', 'refers to another variable (DB_PASSWORD)'],
  ])('is refused: %s', async (content, problem) => {
    await expect(read('.env', { '.env': content })).rejects.toMatchObject(invalid(problem));
  });
});

describe('a database.yml', () => {
  test.each([
    ['url: postgresql://db/cms', { url: 'postgresql://db/cms' }],
    [
      'host: db\n  port: 5433\n  username: me\n  password: 12345678901234567890\n  database: cms\n  pool: 5',
      {
        parameters: { host: 'db', port: '5433', user: 'me', password: '12345678901234567890', dbname: 'cms' },
      },
    ],
    ['database: cms\n  socket: /run/pg/.s.PGSQL.5432', { parameters: { host: '/run/pg', dbname: 'cms' } }],
    ['database: cms\n  socket: /run/pg', { parameters: { host: '/run/pg', dbname: 'cms' } }],
    ['<<: *default\n  database: cms', { parameters: { host: 'shared', dbname: 'cms' } }],
    [
      '<<: *default\n  host: own\n  database: cms\n  sslmode: require',
      { parameters: { host: 'own', dbname: 'cms', sslmode: 'require' } },
    ],
    ['primary:\n    database: one\n  replica:\n    database: two', { parameters: { dbname: 'one' } }],
  ])('%s', async (section, expected) => {
    const content = `default: &default\n  adapter: postgresql\n  pool: <%= ENV.fetch("THREADS") { 5 } %>\n  host: shared\nproduction:\n  ${section}\n`;
    expect(await read('database.yml#production', { 'database.yml': content })).toEqual({
      ...expected,
      origin: 'database.yml#production',
    });
  });

  test.each([
    ['<%= ENV["DB_PW"] %>', 'it is <%= 7 %>'],
    [`<%= ENV['DB_PW'] -%>`, 'it is <%= 7 %>'],
    ['<%=ENV.fetch("DB_PW")%>', 'it is <%= 7 %>'],
    ['<%= ENV.fetch("DB_PW", "other") %>', 'it is <%= 7 %>'],
    ['<%= ENV.fetch("NOT_SET", "a default") %>', 'a default'],
    [`<%= ENV.fetch('NOT_SET') { 'a default' } %>`, 'a default'],
    ['<%= ENV["NOT_SET"] || 5432 %>', '5432'],
    ['"a-<%= ENV[\'EMPTY\'] %>b"', 'a-b'],
    ['<%= ENV["EMPTY"] %>', undefined],
    ['<%= ENV.fetch("NOT_SET", nil) %>', undefined],
  ])('is read where ERB says no more than a variable: %s', async (value, password) => {
    const content = `production:\n  database: cms\n  password: ${value}\n`;
    const env = { DB_PW: 'it is <%= 7 %>', EMPTY: '' };
    expect(await read('d.yml#production', { 'd.yml': content }, env)).toEqual({
      parameters: { dbname: 'cms', ...(password === undefined ? {} : { password }) },
      origin: 'd.yml#production',
    });
  });

  test('has several databases in one environment', async () => {
    const content = 'production:\n  primary: { database: one }\n  replica: { database: two }\n';
    expect(await read('d.yml#production.replica', { 'd.yml': content })).toMatchObject({
      parameters: { dbname: 'two' },
    });
  });

  test.each([
    [
      'd.yml',
      'production: { database: a }\ntest: { database: b }',
      'the environment is missing ("production", "test")',
    ],
    ['d.yml#staging', 'production: { database: a }', '"/dir/d.yml" has no "staging", only "production"'],
    [
      'd.yml#production',
      'production:\n  password: <%= ENV["S"] %>\n',
      '"password" of "production" in "/dir/d.yml" is the environment variable S, which is not set',
    ],
    [
      'd.yml#production',
      'production:\n  password: <%= Rails.application.credentials.s3cret %>\n',
      '"password" of "production" in "/dir/d.yml" is ERB',
    ],
    ['d.yml#production', 'production:\n  password: <%= ENV["HOME"] + `id` %>\n', 'is ERB'],
    ['d.yml#production', 'production:\n  password: <%= ENV.fetch("S", "a#{1}") %>\n', 'is ERB'],
    [
      'd.yml#production',
      '<% if true %>\nproduction:\n  s3cret: [\n<% end %>',
      'ERB makes it something else than YAML',
    ],
    [
      'd.yml#production',
      'production:\n  password: "s3cret\n  a: b: c',
      '"/dir/d.yml", line 3 are invalid: it is not YAML',
    ],
    ['d.yml#production', 'production:\n  adapter: mysql2\n  database: a', 'is not PostgreSQL, but mysql2'],
    ['d.yml#production', 'production:\n  pool: 5', 'has neither "url" nor "database"'],
    ['d.yml#production', '- a', 'is not a mapping of environments'],
  ])('is refused: %s of %j', async (reference, content, problem) => {
    const failure = read(reference, { 'd.yml': content });
    await expect(failure).rejects.toMatchObject(invalid(problem));
    await expect(failure).rejects.not.toMatchObject({ message: expect.stringContaining('s3cret') });
  });
});

test.each([
  ['settings.py#DATABASES', 'CONFIG_INVALID', 'names a file of unknown kind'],
  [
    'gone.ini#app:main',
    'CONNECTION_SETTINGS_INVALID',
    'names the file "/dir/gone.ini", but it does not exist.',
  ],
])('from = "%s" is refused', async (reference, code, problem) => {
  await expect(read(reference, {})).rejects.toMatchObject({
    code,
    message: expect.stringContaining(problem),
  });
});
