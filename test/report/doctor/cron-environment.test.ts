import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { resolveConnection } from '../../../src/connection/resolve-connection.ts';
import { describeTickCall } from '../../../src/crontab/describe-tick-call.ts';
import { findAccount } from '../../../src/crontab/find-account.ts';
import { printedTickLine } from '../../../src/crontab/printed-tick-line.ts';
import type { Database } from '../../../src/database/tables.ts';
import { silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import { checkCronEnvironment } from '../../../src/report/doctor/check-cron-environment.ts';
import type { DoctorFacts, Finding } from '../../../src/report/doctor/doctor-check.ts';
import { findTickFix } from '../../../src/report/doctor/find-tick-fix.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { thisProgram } from '../support/this-program.ts';

let database: TestDatabase;
let db: Kysely<Database>;
let directory: TemporaryDirectory;
let site: string;
let bin: string;

/** crontab(1) as far as it matters here: it prints what the test has put there. */
const program = `#!/bin/sh
file="$(dirname "$0")/spool"
[ "$1" = -u ] && file="$file-$2"
[ -f "$file" ] || { echo "no crontab for nobody" >&2; exit 1; }
cat "$file"
`;

beforeAll(async () => {
  database = await createTestDatabase();
  db = await database.openDatabase();
  directory = await temporaryDirectory();
  site = join(directory.path, '5% of a site');
  bin = join(directory.path, 'bin');
  await mkdir(site);
  await mkdir(bin);
  await executable('crontab', program);
});
afterAll(async () => {
  await directory[Symbol.asyncDispose]();
  await db.destroy();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await configure(`[database]\nurl = ${JSON.stringify(database.url)}\n`);
  await crontab();
});

async function executable(name: string, text: string): Promise<string> {
  const path = join(bin, name);
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}
const configure = async (toml: string) => await writeFile(join(site, 'tend.toml'), toml);

/** The line that tend installs, between its markers, with lines above and changes to it. */
async function crontab(above = '', change: (line: string) => string = (line) => line): Promise<void> {
  const path = join(site, 'tend.toml');
  const loadedConfig = load({});
  const { entry } = printedTickLine(describeTickCall({ ...thisProgram, loadedConfig, choices: {} }));
  const line = `* * * * *  ${change(entry.command).replaceAll('%', '\\%')}`;
  await writeFile(join(bin, 'spool'), `${above}# BEGIN tend ${path}\n${line}\n# END tend ${path}\n`);
}

function load(env: NodeJS.ProcessEnv) {
  return loadConfig({ cwd: site, env, configFlag: undefined, overrides: [], secrets: new SecretRegistry() });
}

function facts(given: NodeJS.ProcessEnv = {}): DoctorFacts {
  const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: directory.path, ...given };
  const loadedConfig = load(env);
  const { osUser } = thisProgram;
  const common = { env, log: silentLog, secrets: new SecretRegistry() };
  return {
    ...{
      ...common,
      loadedConfig,
      configError: undefined,
      program: thisProgram,
      host: 'web1',
      clock: systemClock,
    },
    signal: new AbortController().signal,
    connection: async () => {
      const { config, configPath, baseDirectory } = loadedConfig;
      const place = { configured: config.database, configPath, baseDirectory, home: directory.path };
      return await resolveConnection({ ...common, ...place, osUser });
    },
    openDatabase: async () => db,
  };
}
const check = async (env: NodeJS.ProcessEnv = {}): Promise<Finding> =>
  await checkCronEnvironment.run(facts(env));

describe('cron-environment', () => {
  it('is content with the line that "crontab install" writes, and leaves no session', async () => {
    expect(await check()).toEqual({
      status: 'ok',
      text: `works with what cron gives: the crontab of ${thisProgram.osUser}`,
    });
    expect(
      await database.query(
        `select 1 from pg_stat_activity where datname = $1 and application_name like 'tend config%'`,
        [database.name],
      ),
    ).toEqual([]);
  });

  it('tries the line that would be written where no crontab has one', async () => {
    await writeFile(join(bin, 'spool'), '');
    expect(await check()).toMatchObject({
      status: 'ok',
      text: expect.stringContaining('the line that "tend crontab install" writes'),
    });
  });

  it('names a variable that only this shell has, and where to set it', async () => {
    await configure('[database]\nurl = "env:SITE_DATABASE"\n[mail]\nurl = "env:SITE_SMTP"\n');
    expect(await check({ SITE_DATABASE: database.url, SITE_SMTP: 'smtp://127.0.0.1' })).toEqual({
      status: 'fail',
      text: `the crontab of ${thisProgram.osUser}: The setting database.url refers to the environment variable SITE_DATABASE, which is not set there: it is set in your shell only; The setting mail.url refers to the environment variable SITE_SMTP, which is not set there: it is set in your shell only`,
      fix: 'crontab -e, in a line above the tick: SITE_DATABASE=…; or [database] from = ".env#SITE_DATABASE" in tend.toml; crontab -e, in a line above the tick: SITE_SMTP=…',
    });
    await crontab(`SITE_DATABASE=${database.url}\nSITE_SMTP=smtp://127.0.0.1\n`);
    expect((await check({ SITE_DATABASE: database.url, SITE_SMTP: 'smtp://127.0.0.1' })).status).toBe('ok');
  });

  it('names what leads to another database there', async () => {
    await configure('[database]\nfrom = ".env#SITE_URL"\n');
    await writeFile(join(site, '.env'), 'SITE_URL=postgresql:///cms\n');
    expect(await check({ PGHOST: '/run/elsewhere' })).toMatchObject({
      status: 'fail',
      text: expect.stringMatching(
        /it connects to "cms" at .*, and this shell to "cms" at \/run\/elsewhere.*; PGHOST is set in your shell only$/,
      ),
      fix: 'crontab -e, in a line above the tick: PGHOST=…',
    });
  });

  it('warns of a setting that only this shell makes', async () => {
    expect(await check({ TEND_TASKS_CONCURRENCY: '9' })).toMatchObject({
      status: 'warn',
      text: expect.stringContaining('TEND_TASKS_CONCURRENCY is set in your shell only'),
      fix: 'unset TEND_TASKS_CONCURRENCY; or crontab -e, in a line above the tick: TEND_TASKS_CONCURRENCY=…',
    });
  });

  it('names a Node that is not there, and one that is too old', async () => {
    const reinstall = { status: 'fail', fix: 'tend crontab install' };
    await crontab('', (line) => line.replace(` ${process.execPath} `, ' /nonexistent/node '));
    expect(await check()).toMatchObject({ ...reinstall, text: expect.stringContaining('/nonexistent/node') });
    const old = await executable(
      'old-node',
      `#!/bin/sh\necho 'tend: Node 24 or newer is needed' >&2; exit 78\n`,
    );
    await crontab('', (line) => line.replace(` ${process.execPath} `, ` '${old}' `));
    expect(await check()).toMatchObject({
      ...reinstall,
      text: expect.stringContaining('Node 24 or newer is needed'),
    });
  });

  it('names a tend.toml and a tend that are not there any more', async () => {
    await crontab('', (line) => line.replace(thisProgram.entry, '/nonexistent/run.js'));
    expect(await check()).toMatchObject({ status: 'fail', fix: 'tend crontab install' });
    await writeFile(
      join(bin, 'spool'),
      `* * * * *  cd '${site.replace('%', '\\%')}' && TEND_CONFIG=/nonexistent/tend.toml ${thisProgram.node} ${thisProgram.entry} run-due-tasks\n`,
    );
    expect(await check()).toMatchObject({
      status: 'fail',
      text: expect.stringContaining('"/nonexistent/tend.toml" named by TEND_CONFIG does not exist'),
      fix: `tend crontab install, and remove line 1 of the crontab of ${thisProgram.osUser}`,
    });
  });

  it('names programs that are on the PATH of this shell alone', async () => {
    await configure(`[database]\nurl = ${JSON.stringify(database.url)}\n[app]\nrestart = ["restart-cms"]\n`);
    const path = await executable('restart-cms', '#!/bin/sh\n');
    expect(await check()).toMatchObject({
      status: 'fail',
      text: expect.stringContaining('app.restart: "restart-cms" is on your PATH, and not on that of cron'),
      fix: `In tend.toml, app.restart: "${path}" instead of "restart-cms"`,
    });
  });

  it('names a pg_dump of the server that is on the PATH of this shell alone', async () => {
    await using server = await createTestDatabase();
    await server.query(
      `create schema played; create function played.current_setting(text) returns text return '990001'`,
    );
    await server.query(`alter database ${server.name} set search_path = played, pg_catalog`);
    await using later = await server.openDatabase();
    const path = await executable('pg_dump', '#!/bin/sh\necho "pg_dump (PostgreSQL) 99.1"\n');
    const given = { ...facts(), openDatabase: async () => later };
    expect(await checkCronEnvironment.run(given)).toMatchObject({
      status: 'warn', // no backups are taken here
      text: expect.stringContaining(`pg_dump of PostgreSQL 99, ${path}, is not on the PATH of cron (/usr/`),
      fix: `[backup] tools_directory = "${bin}" in tend.toml`,
    });
  });

  it('tries no line in which a shell does more, and says how to', async () => {
    await crontab('', (line) => `. ./environment && ${line}`);
    expect(await check()).toMatchObject({
      status: 'warn',
      text: expect.stringContaining('it is more than a call of tend, and was not tried'),
      fix: expect.stringContaining(' && env -i HOME='),
    });
  });

  it('tries the line of who owns the site as that user, where root asks', async ({ skip }) => {
    const account = findAccount('daemon');
    const entry = `setpriv --reuid=daemon --clear-groups test -r ${thisProgram.entry} -a -x ${thisProgram.node}`;
    const canRead = account !== undefined && spawnSync('sh', ['-c', entry]).status === 0;
    skip(
      process.getuid?.() !== 0 || !canRead || !existsSync(account.home),
      'only root can be somebody else, who must be able to read this tree',
    );
    if (account === undefined) return;
    const path = join(site, 'tend.toml');
    await chmod(directory.path, 0o755);
    await chown(path, account.uid, account.gid);
    await writeFile(join(bin, 'spool-daemon'), await readFile(join(bin, 'spool'), 'utf8'));
    await rm(join(bin, 'spool'));
    try {
      expect(await check()).toEqual({
        ...{ status: 'ok', text: 'works with what cron gives: the crontab of daemon' },
      });
      await chmod(path, 0o000);
      expect(await check()).toEqual({
        status: 'fail',
        text: `the crontab of daemon: The configuration file "${path}" cannot be read: EACCES`,
        fix: `chown daemon '${path}'`,
      });
    } finally {
      await rm(path);
      await rm(join(bin, 'spool-daemon'));
    }
  });

  it('has nothing to say without a tend.toml, which a line must name', async () => {
    const given = facts();
    const loadedConfig = { ...given.loadedConfig, configPath: undefined };
    expect(await checkCronEnvironment.run({ ...given, loadedConfig })).toMatchObject({ status: 'ok' });
  });
});

describe('the fix of a host that does not tick', () => {
  it('is to install the line where no crontab has it, and to look at cron where one has', async () => {
    expect(await findTickFix(facts(), ['web1'])).toBe(
      `systemctl status cron: the crontab of ${thisProgram.osUser} calls tend, and the check cron-environment tries that line`,
    );
    await writeFile(join(bin, 'spool'), '');
    expect(await findTickFix(facts(), ['web1'])).toBe('tend crontab install');
    expect(await findTickFix(facts(), ['web2'])).toBe('On host "web2": tend doctor');
  });
});
