import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ResolveConnectionOptions, resolveConnection } from '../../src/connection/resolve-connection.ts';
import { silentLog } from '../../src/log.ts';
import { SecretRegistry } from '../../src/redact.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const base: ResolveConnectionOptions = {
  configured: {},
  configPath: 'tend.toml',
  baseDirectory: '/nonexistent',
  env: {},
  osUser: 'ops',
  home: '/nonexistent',
  log: silentLog,
  secrets: new SecretRegistry(),
};

const resolve = (options: Partial<ResolveConnectionOptions>) => resolveConnection({ ...base, ...options });

describe('the first place that says something decides', () => {
  const everything = {
    TEND_DATABASE_URL: 'postgresql://tend/one',
    CMS_URL: 'postgresql://configured/two',
    DATABASE_URL: 'postgresql://app/three',
    PGHOST: 'pg',
    PGDATABASE: 'four',
  };
  const without = (...names: (keyof typeof everything)[]) =>
    Object.fromEntries(Object.entries(everything).filter(([name]) => !names.some((other) => other === name)));

  test.each([
    ['TEND_DATABASE_URL', everything, { url: 'env:CMS_URL' }, 'tend', 'one', 'TEND_DATABASE_URL'],
    [
      '[database] url',
      without('TEND_DATABASE_URL'),
      { url: 'env:CMS_URL' },
      'configured',
      'two',
      'tend.toml [database] url (env:CMS_URL)',
    ],
    [
      '[database] url as it stands',
      without('TEND_DATABASE_URL'),
      { url: 'postgresql://here/' },
      'here',
      'four',
      'tend.toml [database] url',
    ],
    ['DATABASE_URL', without('TEND_DATABASE_URL'), {}, 'app', 'three', 'DATABASE_URL'],
    ['PG* variables', without('TEND_DATABASE_URL', 'DATABASE_URL'), {}, 'pg', 'four', 'environment'],
    [
      'PG* variables beside empty ones',
      { ...everything, TEND_DATABASE_URL: '', DATABASE_URL: '' },
      {},
      'pg',
      'four',
      'environment',
    ],
  ])('%s', async (_title, env, configured, host, database, origin) => {
    const settings = await resolve({ env, configured });
    expect(settings).toMatchObject({ servers: [{ host, port: 5432 }], database, origin });
  });

  test('an environment that names no database is not a configuration', async () => {
    await expect(
      resolve({ env: { PGPASSWORD: 'x', PGSSLMODE: 'require', HOME: '/' } }),
    ).rejects.toMatchObject({
      code: 'DATABASE_NOT_CONFIGURED',
      exitCode: 78,
      hint: expect.stringContaining('DATABASE_URL'),
    });
  });
});

describe("what is left open gets libpq's defaults", () => {
  test("of the operating system's user over a local socket", async () => {
    const settings = await resolve({ configured: { url: 'postgresql://' } });
    expect(settings).toEqual({
      servers: [{ host: expect.stringMatching(/^\/(var\/run\/postgresql|tmp)$/), port: 5432 }],
      database: 'ops',
      user: 'ops',
      sslMode: 'prefer',
      targetSessionAttrs: 'any',
      connectTimeoutMs: 10_000,
      origin: 'tend.toml [database] url',
    });
  });

  test.each([
    [
      'host=a,b port=1,2',
      [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
    ],
    [
      'host=a,b port=7',
      [
        { host: 'a', port: 7 },
        { host: 'b', port: 7 },
      ],
    ],
    [
      'host=a,b port=1,',
      [
        { host: 'a', port: 1 },
        { host: 'b', port: 5432 },
      ],
    ],
    ['hostaddr=::1', [{ host: '::1', port: 5432 }]],
    [
      'host=a,b hostaddr=,10.0.0.1',
      [
        { host: 'a', port: 5432 },
        { host: 'b', address: '10.0.0.1', port: 5432 },
      ],
    ],
    ['host=a password=pw', [{ host: 'a', port: 5432, password: 'pw' }]],
  ])('servers of "%s"', async (url, servers) => {
    expect((await resolve({ configured: { url } })).servers).toEqual(servers);
  });

  test.each([
    ['connect_timeout=3', 3000],
    ['connect_timeout=0', 0],
    ['connect_timeout=-1', 0],
  ])('%s', async (url, connectTimeoutMs) => {
    expect(await resolve({ configured: { url } })).toMatchObject({ connectTimeoutMs });
  });

  test('sslrootcert=system asks for verify-full', async () => {
    expect(await resolve({ configured: { url: 'sslrootcert=system' } })).toMatchObject({
      sslMode: 'verify-full',
    });
  });
});

describe('what makes no sense is refused', () => {
  test.each([
    ['port=x', 'a port is a number from 1 to 65535'],
    ['port=70000', 'a port is a number from 1 to 65535'],
    ['host=a,b port=1,2,3', '3 ports do not fit 2 hosts'],
    ['host=a,b hostaddr=10.0.0.1', '2 hosts do not fit 1 addresses'],
    ['host=@abstract', 'abstract namespace'],
    ['sslmode=on', 'sslmode is one of disable, allow, prefer, require, verify-ca, verify-full, not "on"'],
    ['target_session_attrs=master', 'target_session_attrs is one of any, read-write'],
    ['connect_timeout=soon', 'connect_timeout is a whole number of seconds, not "soon"'],
    ['sslrootcert=system sslmode=require', 'sslrootcert=system needs sslmode=verify-full'],
    ['sslnegotiation=direct', 'sslnegotiation=direct needs sslmode=require or stricter'],
    ['requirepeer=postgres', 'the parameter "requirepeer" is not supported'],
    ['gssencmode=require', 'GSSAPI encryption is not supported'],
    ['ssl_min_protocol_version=TLSv1.3', 'above TLSv1.2 is not supported'],
    ['service=none', 'no service file defines it'],
  ])('%s', async (url, problem) => {
    await expect(resolve({ configured: { url } })).rejects.toMatchObject({
      code: 'CONNECTION_SETTINGS_INVALID',
      message: expect.stringContaining(problem),
    });
  });

  test('url and from at once', async () => {
    await expect(resolve({ configured: { url: 'x', from: 'y' } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'tend.toml [database] has both "url" and "from": only one of them can count.',
    });
  });

  test('a reference to a variable that is not set', async () => {
    await expect(resolve({ configured: { url: 'env:CMS_URL' } })).rejects.toMatchObject({
      exitCode: 78,
      message: expect.stringContaining('CMS_URL'),
    });
  });

  test('no user at all', async () => {
    await expect(resolve({ configured: { url: 'host=a' }, osUser: undefined })).rejects.toMatchObject({
      code: 'CONNECTION_SETTINGS_INVALID',
    });
  });
});

describe('service files', () => {
  test.each([
    [
      "the user's file before the system's",
      { '.pg_service.conf': '[cms]\ndbname=mine', 'sys/pg_service.conf': '[cms]\ndbname=theirs' },
      {},
      'mine',
    ],
    [
      "the system's file where the user's has no such service",
      { '.pg_service.conf': '[other]\ndbname=mine', 'sys/pg_service.conf': '[cms]\ndbname=theirs' },
      {},
      'theirs',
    ],
    [
      "PGSERVICEFILE instead of the user's",
      { '.pg_service.conf': '[cms]\ndbname=mine', own: '[cms]\ndbname=own' },
      { PGSERVICEFILE: 'own' },
      'own',
    ],
    ['the first value of a key', { '.pg_service.conf': '[cms]\ndbname=first\ndbname=second' }, {}, 'first'],
    [
      'a service before the environment',
      { '.pg_service.conf': '[cms]\ndbname=mine' },
      { PGDATABASE: 'environment' },
      'mine',
    ],
  ])('%s', async (_title, files, env, database) => {
    await using home = await homeWith(files);
    const absolute = Object.entries(env).map(([name, value]) => [
      name,
      name === 'PGSERVICEFILE' ? join(home.path, value) : value,
    ]);
    const settings = await resolve({
      home: home.path,
      env: { PGSERVICE: 'cms', PGSYSCONFDIR: join(home.path, 'sys'), ...Object.fromEntries(absolute) },
    });
    expect(settings).toMatchObject({ database, origin: 'service cms' });
  });

  test.each([
    ['a line without "="', '[cms]\n\nhost', 'line 3'],
    ['spaces around "="', '[cms]\nhost = db', 'the parameter "host " is not known'],
    ['an unknown key', '[cms]\nhots=db', 'the parameter "hots" is not known'],
    ['another service', '[cms]\nservice=other', 'a service cannot name another service'],
  ])('%s is refused', async (_title, content, problem) => {
    await using home = await homeWith({ '.pg_service.conf': content });
    await expect(resolve({ home: home.path, env: { PGSERVICE: 'cms' } })).rejects.toMatchObject({
      code: 'CONNECTION_SETTINGS_INVALID',
      message: expect.stringContaining(problem),
    });
  });

  test('a file that PGSERVICEFILE names must exist', async () => {
    const env = { PGSERVICE: 'cms', PGSERVICEFILE: '/nonexistent/services' };
    await expect(resolve({ env })).rejects.toMatchObject({
      message: expect.stringContaining('the service file "/nonexistent/services" does not exist'),
    });
  });
});

test('every password that is met becomes a secret', async () => {
  await using home = await homeWith({ '.pgpass': '*:*:*:*:pgpass-canary\n' });
  const secrets = new SecretRegistry();
  await resolve({ home: home.path, configured: { url: 'host=a' }, secrets });
  await resolve({
    configured: { url: 'postgresql://me:url-canary@a/b' },
    env: { PGPASSWORD: 'env-canary' },
    secrets,
  });
  expect(secrets.redact('pgpass-canary url-canary env-canary')).toBe('*** *** ***');
});

async function homeWith(files: Record<string, string>) {
  const home = await temporaryDirectory();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(home.path, name)), { recursive: true });
    await writeFile(join(home.path, name), content, { mode: 0o600 });
  }
  return home;
}
