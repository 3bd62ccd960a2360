import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectClient } from '../../src/connection/connect-client.ts';
import { toLibpqEnvironment } from '../../src/connection/libpq-environment.ts';
import { resolveConnection } from '../../src/connection/resolve-connection.ts';
import type { ConnectionSettings } from '../../src/connection/settings.ts';
import { silentLog } from '../../src/log.ts';
import { SecretRegistry } from '../../src/redact.ts';
import { type Authority, createAuthority } from '../support/certificates.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

// The same settings three ways: psql with what the user wrote, psql with our PG* variables, and our own session.

const run = promisify(execFile);

/** `plain` has no TLS; `tls` has, and is read-only unless told otherwise. */
let plain: Cluster;
let tls: Cluster;
let authority: Authority;
let directory: TemporaryDirectory;
let homeCount = 0;
const resources = new AsyncDisposableStack();
const warnings: string[] = [];
process.on('warning', ({ message }) => warnings.push(message));

const landingQuery = `
  select json_build_object('user', current_user, 'database', current_database(), 'port', current_setting('port'),
    'address', host(inet_server_addr()), 'path', current_setting('search_path'),
    'ssl', (select ssl from pg_stat_ssl where pid = pg_backend_pid())) as landing`;

interface Landing {
  user: string;
  database: string;
  port: string;
  address: string | null;
  path: string;
  ssl: boolean;
}

interface Case {
  title: string;
  /** What the user wrote: a URL or conninfo string. */
  text?: () => string;
  env?: () => Record<string, string>;
  /** Files of the home directory, mode 0600. */
  files?: () => Record<string, string>;
  expected: () => Partial<Landing> | 'failure';
}

beforeAll(async () => {
  directory = resources.use(await temporaryDirectory());
  authority = createAuthority(directory.path, 'trusted');
  const server = authority.issue({ name: 'server', commonName: 'server', dnsName: 'localhost' });
  createAuthority(directory.path, 'stranger');
  const client = authority.issue({ name: 'client', commonName: 'cert_user' });
  await writeFile(join(directory.path, 'client.crt'), client.certificate);
  await writeFile(join(directory.path, 'client.key'), client.key, { mode: 0o600 });
  await writeFile(join(directory.path, 'open.key'), client.key, { mode: 0o644 });
  const parentDirectory = dirname(directory.path);
  plain = resources.use(await startCluster({ parentDirectory }));
  tls = resources.use(
    await startCluster({
      parentDirectory,
      settings: {
        ssl: 'on',
        ssl_cert_file: 'server.crt',
        ssl_key_file: 'server.key',
        ssl_ca_file: 'ca.crt',
        default_transaction_read_only: 'on',
      },
      hba: [
        'hostssl all tls_only 127.0.0.1/32 trust',
        'host all tls_only 127.0.0.1/32 reject',
        'hostnossl all plain_only 127.0.0.1/32 trust',
        'host all plain_only 127.0.0.1/32 reject',
        'hostssl all cert_user 127.0.0.1/32 cert',
      ],
      files: {
        'server.crt': server.certificate,
        'server.key': server.key,
        'ca.crt': readFileSync(authority.certificatePath),
      },
    }),
  );
  for (const cluster of [plain, tls]) {
    const admin = new pg.Client({
      host: cluster.socketDirectory,
      port: cluster.port,
      user: 'tend_test',
      database: 'postgres',
    });
    await admin.connect();
    await admin.query('set default_transaction_read_only = off');
    for (const role of ['tls_only', 'plain_only', 'cert_user', `"${userInfo().username}"`]) {
      await admin.query(`create role ${role} login`).catch(ignoreExisting);
    }
    await admin.query('create database cms');
    if (cluster === plain) await admin.query('create database only_plain');
    await admin.query(`create database "${userInfo().username}"`).catch(ignoreExisting);
    await admin.end();
  }
});

afterAll(() => resources.disposeAsync());

const encoded = (text: string) => encodeURIComponent(text);
const tcp = (cluster: Cluster) => `127.0.0.1:${cluster.port}`;
const withPassword = (cluster: Cluster) => `tend_test:${encoded(cluster.password)}`;
const escaped = (text: string) => text.replaceAll(/[\\:]/g, '\\$&');
const root = (name: 'trusted' | 'stranger') => join(directory.path, `${name}-ca.crt`);
const query = (values: Record<string, string>) =>
  new URLSearchParams(values).toString().replaceAll('+', '%20');
const onPlain =
  (landing: Partial<Landing> = {}) =>
  () => ({ port: String(plain.port), ...landing });
const onTls =
  (landing: Partial<Landing> = {}) =>
  () => ({ port: String(tls.port), ...landing });
const failure = () => 'failure' as const;

const cases: Case[] = [
  {
    title: 'a unix socket from PGHOST',
    env: () => ({
      PGHOST: plain.socketDirectory,
      PGPORT: String(plain.port),
      PGUSER: 'tend_test',
      PGDATABASE: 'cms',
    }),
    expected: onPlain({ user: 'tend_test', database: 'cms', address: null }),
  },
  {
    title: 'user and database of the operating system when nothing else is given',
    env: () => ({ PGHOST: plain.socketDirectory, PGPORT: String(plain.port) }),
    expected: onPlain({ user: userInfo().username, database: userInfo().username, address: null }),
  },
  {
    title: 'a URL with an encoded socket directory',
    text: () => `postgresql://tend_test@${encoded(plain.socketDirectory)}:${plain.port}/cms`,
    expected: onPlain({ address: null }),
  },
  {
    title: 'a URL with the socket directory as a parameter',
    text: () => `postgres:///cms?user=tend_test&host=${encoded(plain.socketDirectory)}&port=${plain.port}`,
    expected: onPlain({ address: null, database: 'cms' }),
  },
  {
    title: 'a URL whose gaps the environment fills',
    text: () => 'postgresql:///cms',
    env: () => ({
      PGHOST: '127.0.0.1',
      PGPORT: String(plain.port),
      PGUSER: 'tend_test',
      PGPASSWORD: plain.password,
    }),
    expected: onPlain({ address: '127.0.0.1', database: 'cms', ssl: false }),
  },
  {
    title: 'TCP with an encoded password',
    text: () => `postgresql://${withPassword(plain)}@${tcp(plain)}/cms`,
    expected: onPlain({ address: '127.0.0.1' }),
  },
  {
    title: 'TCP by name',
    text: () => `postgresql://${withPassword(plain)}@localhost:${plain.port}/cms`,
    expected: onPlain({ address: '127.0.0.1' }),
  },
  {
    title: 'TCP without a password',
    text: () => `postgresql://tend_test@${tcp(plain)}/cms`,
    expected: failure,
  },
  {
    title: 'TCP with a wrong password',
    text: () => `postgresql://tend_test:wrong@${tcp(plain)}/cms`,
    expected: failure,
  },
  {
    title: 'a quoted conninfo string',
    text: () =>
      `host = 127.0.0.1 port=${plain.port} user=tend_test dbname='cms' password='${plain.password.replaceAll(/['\\]/g, '\\$&')}'`,
    expected: onPlain({ address: '127.0.0.1' }),
  },
  {
    title: 'a password file with escapes, comments and lines that do not fit',
    text: () => `postgresql://tend_test@${tcp(plain)}/cms`,
    files: () => ({
      '.pgpass': `# comment\n127.0.0.1:1:cms:tend_test:no\n*:${plain.port}:*:tend_test:${escaped(plain.password)}\n*:*:*:*:late\n`,
    }),
    expected: onPlain(),
  },
  {
    title: 'a password file named by PGPASSFILE',
    env: () => ({
      PGHOST: 'localhost',
      PGPORT: String(plain.port),
      PGUSER: 'tend_test',
      PGDATABASE: 'cms',
      PGPASSFILE: join(directory.path, `home-${homeCount}`, 'elsewhere'),
    }),
    files: () => ({ elsewhere: `localhost:*:cms:tend_test:${escaped(plain.password)}` }),
    expected: onPlain(),
  },
  {
    title: 'a service of ~/.pg_service.conf',
    env: () => ({ PGSERVICE: 'cms', PGUSER: 'nobody_knows' }),
    files: () => ({
      '.pg_service.conf': `[other]\nhost=nowhere\n\n[cms]\n# comment\nhost=127.0.0.1\nport=${plain.port}\nuser=tend_test\ndbname=cms\npassword=${plain.password}\n[cms2]\nport=1\n`,
    }),
    expected: onPlain({ user: 'tend_test' }),
  },
  {
    title: 'a service in a conninfo string, with a value of its own',
    text: () => 'service=cms dbname=postgres',
    files: () => ({
      '.pg_service.conf': `[cms]\nhost=${plain.socketDirectory}\nport=${plain.port}\nuser=tend_test\ndbname=cms\n`,
    }),
    expected: onPlain({ database: 'postgres', address: null }),
  },
  {
    title: 'a service nobody defines',
    env: () => ({ PGSERVICE: 'missing' }),
    expected: failure,
  },
  {
    title: 'several hosts, the first one dead',
    text: () => `postgresql://${withPassword(plain)}@127.0.0.1:1,${tcp(plain)}/cms`,
    expected: onPlain(),
  },
  {
    title: 'several hosts, the first one a socket directory that does not exist',
    text: () => `postgresql://${withPassword(plain)}@/cms?host=/nonexistent,127.0.0.1&port=${plain.port}`,
    expected: onPlain({ address: '127.0.0.1' }),
  },
  {
    title: 'several hosts with passwords of their own from the password file',
    text: () => `postgresql://tend_test@${tcp(tls)},${tcp(plain)}/cms?target_session_attrs=read-write`,
    files: () => ({
      '.pgpass': [tls, plain].map((one) => `127.0.0.1:${one.port}:*:*:${escaped(one.password)}\n`).join(''),
    }),
    expected: onPlain(),
  },
  {
    title: 'several hosts, the first one refusing the password',
    text: () => `postgresql://tend_test:${encoded(plain.password)}@${tcp(tls)},${tcp(plain)}/cms`,
    expected: failure,
  },
  {
    title: 'several hosts, the first one without the database',
    text: () =>
      `user=tend_test dbname=only_plain host=${tls.socketDirectory},${plain.socketDirectory} port=${tls.port},${plain.port}`,
    expected: failure,
  },
  ...(['read-write', 'read-only', 'primary', 'standby', 'prefer-standby', 'any'] as const).map((attrs) => ({
    title: `target_session_attrs=${attrs} with a read-only server first`,
    text: () =>
      `user=tend_test dbname=cms target_session_attrs=${attrs} ` +
      `host=${tls.socketDirectory},${plain.socketDirectory} port=${tls.port},${plain.port}`,
    expected: attrs === 'read-write' ? onPlain() : attrs === 'standby' ? failure : onTls(),
  })),
  {
    title: 'PGTARGETSESSIONATTRS',
    env: () => ({
      PGHOST: `${tls.socketDirectory},${plain.socketDirectory}`,
      PGPORT: `${tls.port},${plain.port}`,
      PGUSER: 'tend_test',
      PGDATABASE: 'cms',
      PGTARGETSESSIONATTRS: 'read-write',
    }),
    expected: onPlain(),
  },
  {
    title: 'hostaddr beside a name that does not resolve',
    text: () => `host=db.invalid hostaddr=127.0.0.1 port=${plain.port} user=tend_test dbname=cms`,
    files: () => ({ '.pgpass': `db.invalid:*:*:*:${escaped(plain.password)}` }),
    expected: onPlain({ address: '127.0.0.1' }),
  },
  {
    title: 'PGHOSTADDR alone',
    env: () => ({
      PGHOSTADDR: '127.0.0.1',
      PGPORT: String(plain.port),
      PGUSER: 'tend_test',
      PGPASSWORD: plain.password,
      PGDATABASE: 'cms',
    }),
    expected: onPlain({ address: '127.0.0.1' }),
  },
  {
    title: 'options for the session',
    text: () =>
      `postgresql://tend_test@/cms?${query({ host: plain.socketDirectory, port: String(plain.port), options: '-c search_path=cms' })}`,
    expected: onPlain({ path: 'cms' }),
  },
  {
    title: 'PGOPTIONS',
    env: () => ({
      PGHOST: plain.socketDirectory,
      PGPORT: String(plain.port),
      PGUSER: 'tend_test',
      PGDATABASE: 'cms',
      PGOPTIONS: '-c search_path=a,b',
    }),
    expected: onPlain({ path: 'a,b' }),
  },
  ...tlsCases(),
];

function tlsCases(): Case[] {
  const url = (cluster: () => Cluster, user: string, values: () => Record<string, string>) => () =>
    `postgresql://${user === 'tend_test' ? withPassword(cluster()) : user}@${tcp(cluster())}/cms?${query(values())}`;
  const modes = ['disable', 'allow', 'prefer', 'require'] as const;
  const perMode = modes.flatMap((sslmode): Case[] => [
    {
      title: `sslmode=${sslmode} at a server without TLS`,
      text: url(
        () => plain,
        'tend_test',
        () => ({ sslmode }),
      ),
      expected: sslmode === 'require' ? failure : onPlain({ ssl: false }),
    },
    {
      title: `sslmode=${sslmode} at a server with TLS`,
      text: url(
        () => tls,
        'tend_test',
        () => ({ sslmode }),
      ),
      expected: onTls({ ssl: sslmode === 'prefer' || sslmode === 'require' }),
    },
    {
      title: `sslmode=${sslmode} as a user who may come with TLS only`,
      text: url(
        () => tls,
        'tls_only',
        () => ({ sslmode }),
      ),
      expected: sslmode === 'disable' ? failure : onTls({ ssl: true }),
    },
    {
      title: `sslmode=${sslmode} as a user who may come without TLS only`,
      text: url(
        () => tls,
        'plain_only',
        () => ({ sslmode }),
      ),
      expected: sslmode === 'require' ? failure : onTls({ ssl: false }),
    },
    {
      title: `sslmode=${sslmode} with a root certificate of another authority`,
      text: url(
        () => tls,
        'tend_test',
        () => ({ sslmode, sslrootcert: root('stranger') }),
      ),
      expected: sslmode === 'require' ? failure : onTls({ ssl: false }),
    },
  ]);
  const files = () => ({
    sslcert: join(directory.path, 'client.crt'),
    sslkey: join(directory.path, 'client.key'),
  });
  const verify = (values: () => Record<string, string>) => url(() => tls, 'tend_test', values);
  return [
    ...perMode,
    {
      title: 'PGSSLMODE',
      text: verify(() => ({})),
      env: () => ({ PGSSLMODE: 'disable' }),
      expected: onTls({ ssl: false }),
    },
    {
      title: 'verify-ca with the right root',
      text: verify(() => ({ sslmode: 'verify-ca', sslrootcert: root('trusted') })),
      expected: onTls({ ssl: true }),
    },
    {
      title: 'verify-ca with another root',
      text: verify(() => ({ sslmode: 'verify-ca', sslrootcert: root('stranger') })),
      expected: failure,
    },
    {
      title: 'verify-ca without any root',
      text: verify(() => ({ sslmode: 'verify-ca' })),
      expected: failure,
    },
    {
      title: 'verify-full by address, the certificate having a name',
      text: verify(() => ({ sslmode: 'verify-full', sslrootcert: root('trusted') })),
      expected: failure,
    },
    {
      title: 'verify-full by name',
      text: () =>
        `postgresql://${withPassword(tls)}@localhost:${tls.port}/cms?sslmode=verify-full&sslrootcert=${encoded(root('trusted'))}`,
      expected: onTls({ ssl: true }),
    },
    {
      title: 'verify-full by name with hostaddr',
      text: () =>
        `postgresql://${withPassword(tls)}@localhost:${tls.port}/cms?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert=${encoded(root('trusted'))}`,
      expected: onTls({ ssl: true }),
    },
    {
      title: 'verify-full on a unix socket, where it means nothing',
      text: () =>
        `host=${tls.socketDirectory} port=${tls.port} user=tend_test dbname=cms sslmode=verify-full`,
      expected: onTls({ ssl: false, address: null }),
    },
    {
      title: 'require with ~/.postgresql/root.crt of another authority',
      text: verify(() => ({ sslmode: 'require' })),
      files: () => ({ '.postgresql/root.crt': read(root('stranger')) }),
      expected: failure,
    },
    {
      title: 'verify-ca with ~/.postgresql/root.crt',
      text: verify(() => ({ sslmode: 'verify-ca' })),
      files: () => ({ '.postgresql/root.crt': read(root('trusted')) }),
      expected: onTls({ ssl: true }),
    },
    {
      title: 'a client certificate',
      text: url(() => tls, 'cert_user', files),
      expected: onTls({ ssl: true, user: 'cert_user' }),
    },
    {
      title: 'a client certificate in ~/.postgresql',
      text: url(
        () => tls,
        'cert_user',
        () => ({}),
      ),
      files: () => ({
        '.postgresql/postgresql.crt': read(files().sslcert),
        '.postgresql/postgresql.key': read(files().sslkey),
      }),
      expected: onTls({ ssl: true }),
    },
    {
      title: 'no client certificate where one is needed',
      text: url(
        () => tls,
        'cert_user',
        () => ({}),
      ),
      expected: failure,
    },
    {
      title: 'a client key that others may read',
      text: url(
        () => tls,
        'cert_user',
        () => ({ ...files(), sslkey: join(directory.path, 'open.key') }),
      ),
      expected: failure,
    },
    {
      title: 'channel_binding=require over TLS',
      text: verify(() => ({ channel_binding: 'require' })),
      expected: onTls({ ssl: true }),
    },
  ];
}

describe('psql, our PG* variables and our own session land in the same place', () => {
  test.each(cases)('$title', async ({ text, env, files, expected }) => {
    homeCount += 1;
    const home = join(directory.path, `home-${homeCount}`);
    for (const [name, content] of Object.entries({ '.keep': '', ...files?.() })) {
      await mkdir(dirname(join(home, name)), { recursive: true });
      await writeFile(join(home, name), content, { mode: 0o600 });
    }
    const userEnvironment = { ...env?.() };
    const base = { PATH: '/usr/bin:/bin', HOME: home, LC_ALL: 'C' };

    const ofUser = await psql({ ...base, ...userEnvironment }, text === undefined ? [] : [text()]);
    const resolving = resolveConnection({
      configured: { url: text?.() },
      baseDirectory: home,
      env: { ...base, ...userEnvironment },
      osUser: userInfo().username,
      home,
      log: silentLog,
      secrets: new SecretRegistry(),
    });
    const ofVariables = await landing(resolving, (settings) =>
      psql({ ...base, ...toLibpqEnvironment(settings) }, []),
    );
    const ofSession = await landing(resolving, ownSession);

    expect({ ofVariables, ofSession }).toEqual({ ofVariables: ofUser, ofSession: ofUser });
    const place = expected();
    if (place === 'failure') expect(ofUser).toBe('failure');
    else expect(ofUser).toMatchObject(place);
  });
});

test('none of it makes node-postgres warn on stderr', () => {
  expect(warnings).toEqual([]);
});

async function landing(
  resolving: Promise<ConnectionSettings>,
  connect: (settings: ConnectionSettings) => Promise<Landing | 'failure'>,
): Promise<Landing | 'failure'> {
  return await resolving.then(connect).catch(() => 'failure' as const);
}

async function psql(env: Record<string, string>, args: string[]): Promise<Landing | 'failure'> {
  try {
    const { stdout } = await run(join(plain.binaries, 'psql'), ['-wXAtq', '-c', landingQuery, ...args], {
      env,
    });
    return JSON.parse(stdout);
  } catch {
    return 'failure';
  }
}

async function ownSession(settings: ConnectionSettings): Promise<Landing> {
  const client = await connectClient({ settings });
  const { rows } = await client.query<{ landing: Landing }>(landingQuery);
  await client.end();
  return rows[0]?.landing ?? expect.unreachable('the query gives one row');
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof pg.DatabaseError) || !['42710', '42P04'].includes(error.code ?? '')) throw error;
}

function read(path: string): string {
  return readFileSync(path, 'utf8');
}
