import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkConfigSource } from '../../src/config/check-config-source.ts';
import { findApplication } from '../../src/init/find-application.ts';
import { proposeConfig } from '../../src/init/propose-config.ts';
import { SecretRegistry } from '../../src/redact.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { runCli, runCliOnTerminal } from '../support/run-cli.ts';
import { runCommand } from '../support/run-command.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../support/temporary-directory.ts';

const fixtures = fileURLToPath(new URL('../fixtures/applications', import.meta.url));

let directory: TemporaryDirectory;
let server: Server;
let port: number;

beforeAll(async () => {
  server = createServer((request, response) => {
    response.statusCode = request.url === '/healthz' ? 200 : 404;
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  port = typeof address === 'object' ? (address?.port ?? 0) : 0;
});
afterAll(() => void server.close());
beforeEach(async () => {
  directory = await temporaryDirectory();
  return async () => await directory[Symbol.asyncDispose]();
});

/** A copy of one fixture, at `cms`, with an /etc whose units name it and whose port answers. */
async function application(name: string): Promise<{ folder: string; etc: string }> {
  const [folder, etc] = [join(directory.path, 'cms'), join(directory.path, 'etc')];
  await cp(join(fixtures, name), folder, { recursive: true });
  await cp(join(fixtures, 'etc'), etc, { recursive: true });
  for (const file of await readdir(etc, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replaceAll('@FOLDER@', folder).replaceAll('@PORT@', String(port)));
  }
  return { folder, etc };
}

async function look(name: string, env: Record<string, string> = {}, hasEtc = true) {
  const { folder, etc } = await application(name);
  return await findApplication({
    ...{ folder, etc: hasEtc ? etc : '/nonexistent', env, osUser: 'cms', home: '/nonexistent' },
    ...{ secrets: new SecretRegistry(), signal: AbortSignal.timeout(60_000) },
  });
}

describe('init finds', () => {
  it.each([
    ['pyramid', 'Pyramid', { from: 'production.ini#app:main' }, ['cms/locale']],
    ['django', 'Django', { from: '.env#DATABASE_URL' }, ['shop/locale']],
    ['flask', 'Flask', { from: '.env#SQLALCHEMY_DATABASE_URI' }, ['translations']],
  ])('database and catalogs of %s where its template has them', async (name, framework, database, paths) => {
    const found = await look(name);
    expect(found.framework).toBe(framework);
    expect(found.database.database?.value).toEqual(database);
    expect(found.catalogs?.value).toEqual(paths);
    const source = proposeConfig(found);
    expect(source).not.toContain('secret');
    expect(checkConfigSource({ path: 'tend.toml', source })).toMatchObject({
      database,
      translations: { paths },
    });
  });

  it('a variable in Rails’ database.yml that is not set here, and takes DATABASE_URL of the environment instead', async () => {
    const url = 'postgresql://blog:ra-ils-secret@/blog_production';
    const found = await look('rails', { DATABASE_URL: url });
    expect(found.framework).toBe('Rails');
    expect(found.database.database?.value).toEqual({ url: 'env:DATABASE_URL' });
    expect(found.database.rejected).toEqual([
      { source: 'config/database.yml#production', why: expect.stringContaining('BLOG_DATABASE_PASSWORD') },
    ]);
    const source = proposeConfig(found);
    expect(source).not.toContain('secret');
    expect(source).toMatch(/^# Not used: config\/database\.yml#production: .* which is not set here$/m);
  });

  it.each([{ env: {} }, { env: { BLOG_DATABASE_PASSWORD: 'ra-ils-secret' } }])(
    'Rails’ database.yml with a password from a variable, and says which, set here or not: $env',
    async ({ env }) => {
      const found = await look('rails', env);
      expect(found.database.database).toEqual({
        value: { from: 'config/database.yml#production' },
        why: expect.stringMatching(
          /database "blog_production" .*, as "blog".* password from BLOG_DATABASE_PASSWORD\. cron has no such variable/,
        ),
      });
      expect(proposeConfig(found)).not.toContain('secret');
    },
  );

  it('the environment of Rails’ database.yml that has no ERB', async () => {
    const { folder } = await application('rails');
    const path = join(folder, 'config/database.yml');
    await writeFile(path, (await readFile(path, 'utf8')).replace(/^ *password: .*\n/m, ''));
    const { stdout } = await runCli(['init', '--dry-run', '--json'], { cwd: folder });
    expect(JSON.parse(stdout).found).toMatchObject({
      framework: 'Rails',
      database: { value: { from: 'config/database.yml#production' } },
    });
  });

  it('that a development database is not PostgreSQL, and uses production', async () => {
    const found = await look('pyramid');
    expect(found.database.rejected).toEqual([
      { source: 'development.ini#app:main', why: expect.stringContaining('not sqlite') },
    ]);
  });

  it('the unit that runs this very folder, its port, and the page that answers there', async () => {
    const found = await look('pyramid');
    expect(found.services.map(({ restart }) => restart.value)).toEqual([
      ['systemctl', 'restart', 'cms'],
      ['supervisorctl', 'restart', 'cms-worker'],
    ]);
    const source = proposeConfig(found);
    expect(checkConfigSource({ path: 'tend.toml', source }).app).toMatchObject({
      restart: ['systemctl', 'restart', 'cms'],
      check: { url: `http://127.0.0.1:${port}/healthz` },
    });
    expect(source).toContain('# Not used: supervisorctl restart cms-worker');
  });

  it('no health page where no settings name a port, whoever listens on a usual one', async () => {
    const found = await look('django', {}, false);
    expect(found.health).toEqual({ check: undefined, port: undefined });
    expect(found.services).toEqual([]);
  });

  it('what Django needs when there is no .env', async () => {
    const { folder } = await application('django');
    await rm(join(folder, '.env'));
    const { stdout } = await runCommand(['init', '--dry-run'], { cwd: folder });
    expect(stdout).toContain('settings.py is Python, which is not run');
  });
});

describe('init', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase({ empty: true });
    return async () => await database[Symbol.asyncDispose]();
  });

  /** The Flask application, with a database that is there. */
  async function living(): Promise<string> {
    const { folder } = await application('flask');
    await writeFile(join(folder, '.env'), `FLASK_APP=wiki\nDATABASE_URL='${database.url}'\n`);
    return folder;
  }

  it('writes tend.toml, migrates, grants, and says what cron and the reader do next', async () => {
    const folder = await living();
    await database.query(`create role "${database.name}_app"`);
    try {
      const args = ['init', folder, '--yes', '--grant-to', `${database.name}_app`];
      const { exitCode, stdout, stderr } = await runCli(args);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      const written = await readFile(join(folder, 'tend.toml'), 'utf8');
      expect(stdout).toContain(written);
      expect(stdout).toContain(`Granted the SQL API to "${database.name}_app"`);
      expect(stdout).toMatch(/^\* \* \* \* \* .* run-due-tasks --config .*\/cms\/tend\.toml$/m);
      expect(stdout).toMatch(/ {2}cd \S+ && tend crontab install\n {2}tend doctor\n {2}tend status\n$/);
      expect((await runCli(['run-due-tasks'], { cwd: folder })).exitCode).toBe(0);
    } finally {
      await database.query(`drop owned by "${database.name}_app"; drop role "${database.name}_app"`);
    }
  });

  it('reports under --json what was found, proposed and done', async () => {
    const folder = await living();
    const { stdout, exitCode } = await runCommand(['init', folder, '--yes', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      file: join(folder, 'tend.toml'),
      found: { framework: 'Flask', database: { value: { from: '.env#DATABASE_URL' } }, restart: null },
      proposed: await readFile(join(folder, 'tend.toml'), 'utf8'),
      isWritten: true,
      migrations: { applied: expect.arrayContaining([expect.any(String)]), grantedTo: [] },
      next: [expect.any(String), expect.any(String), expect.any(String)],
    });
  });

  it('asks before it writes and before it migrates, and Enter is no', async () => {
    const folder = await living();
    const no = await runCliOnTerminal(['init', folder], { stdin: '\n', typedAt: '[y/N]' });
    expect(no.stdout).toContain('Nothing was written.');
    expect(await readdir(folder)).not.toContain('tend.toml');
    const half = await runCliOnTerminal(['init', folder], { stdin: 'y\n\n', typedAt: '[y/N]' });
    expect(half.stdout).toContain('tend migrations up');
    expect(await readdir(folder)).toContain('tend.toml');
    const rows = await database.query("select 1 from pg_namespace where nspname = 'tend'");
    expect(rows).toEqual([]);
  });
});

describe('init refuses', () => {
  it('to write without consent, and a tend.toml that is there', async () => {
    const { folder } = await application('flask');
    const unasked = await runCommand(['init'], { cwd: folder });
    expect(unasked).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('Add: --yes') });
    await writeFile(join(folder, 'tend.toml'), '# mine\n');
    const present = await runCommand(['init', '--yes', '--no-migrate'], { cwd: folder });
    expect(present).toMatchObject({ exitCode: 73, stderr: expect.stringContaining('is there already') });
    expect(await readFile(join(folder, 'tend.toml'), 'utf8')).toBe('# mine\n');
  });

  it('a folder that is not there, and --config', async () => {
    expect(await runCommand(['init', join(directory.path, 'none'), '--yes'])).toMatchObject({ exitCode: 66 });
    expect(await runCommand(['init', '--config', 'x.toml', '--yes'])).toMatchObject({ exitCode: 64 });
  });

  it('to guess a database: what is written says that it is missing, and the exit code is 4', async () => {
    const folder = join(directory.path, 'empty "5%" site');
    await mkdir(folder);
    const { exitCode, stderr } = await runCommand(['init', folder, '--yes']);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('no database'),
    });
    const source = await readFile(join(folder, 'tend.toml'), 'utf8');
    expect(checkConfigSource({ path: 'tend.toml', source }).database).toEqual({});
  });

  it('to leave a password anywhere, however the settings are broken', async () => {
    const { folder } = await application('flask');
    await rename(join(folder, '.env'), join(folder, '.env.production'));
    await writeFile(join(folder, '.env'), 'DATABASE_URL=postgresql://wiki:canary@pass@@host:port/x\n');
    const { stdout, stderr } = await runCommand(['init', folder, '--dry-run', '--json']);
    expect(stdout).toContain('.env.production#SQLALCHEMY_DATABASE_URI');
    expect(stdout + stderr).not.toMatch(/canary|secret/);
  });
});
