import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listBackups } from '../../../src/backups/sets/backup-directory.ts';
import { lockBackups } from '../../../src/backups/sets/backup-lock.ts';
import { openDatabase } from '../../../src/database/open-database.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { fixtureSql, takeBackup } from '../support/fixture.ts';

let database: TestDatabase;
let place: TemporaryDirectory;
let directory: string;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.query(fixtureSql);
});
afterAll(async () => await database[Symbol.asyncDispose]());
beforeEach(async () => {
  place = await temporaryDirectory();
  directory = join(place.path, 'backups');
});
afterEach(async () => await place[Symbol.asyncDispose]());

/** Everything in the backup directory but the lock. */
function contents(): string[] {
  return readdirSync(directory).filter((name) => name !== '.tend.lock');
}

/** Plants a program that says it is a pg_dump of this version, and does `body` otherwise. */
function plantPgDump(directory: string, version: string, body: string): string {
  mkdirSync(directory, { recursive: true });
  const text = `#!/bin/sh\n[ "$1" = --version ] && { echo "pg_dump (PostgreSQL) ${version}"; exit; }\n${body}\n`;
  writeFileSync(join(directory, 'pg_dump'), text, { mode: 0o755 });
  return directory;
}

/** The same server, by another role or in another database. */
function connectedWith(changed: { user: string } | { database: string }): TestDatabase {
  const connection = { ...database.connection, ...changed };
  const open = () => openDatabase({ connection, applicationName: 'tend backup test' });
  return { ...database, connection, openDatabase: async () => await Promise.resolve(open()) };
}

async function serverMajor(): Promise<number> {
  const [row] = await database.query<{ major: number }>(
    `select current_setting('server_version_num')::int / 10000 as major`,
  );
  return row?.major ?? 0;
}

describe('a pg_dump that', () => {
  test.each([
    { title: 'ends well and writes nothing', body: 'exit 0', code: 'TOOL_FAILED', said: 'wrote nothing' },
    { title: 'hangs', body: 'echo PGDMP; exec sleep 600', code: 'TOOL_TIMED_OUT', said: 'was silent for' },
    {
      title: 'fails in the middle',
      body: 'echo PGDMP; echo "pg_dump: error: out of luck" >&2; exit 1',
      code: 'TOOL_FAILED',
      said: 'out of luck',
    },
  ])('$title makes no set', async ({ body, code, said }) => {
    const tools = plantPgDump(join(place.path, 'tools'), `${await serverMajor()}.99`, body);
    const config = { tools_directory: tools, silence: 400 };
    await expect(takeBackup({ database, directory, config })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(said),
    });
    expect(contents()).toEqual([]);
  });

  test('is first on PATH and of another major is passed over', async () => {
    const tools = plantPgDump(join(place.path, 'newer'), '99.1', 'echo PGDMP; exit 0');
    const env = { ...process.env, PATH: `${tools}:${process.env['PATH']}` };
    const set = await takeBackup({ database, directory, env });
    expect(set.manifest.tools.pgDump).toContain(`(PostgreSQL) ${await serverMajor()}.`);
  });
});

describe('what pg_dump may not read is named:', () => {
  const role = `reader_${process.pid}`;
  beforeAll(async () => {
    await database.query(`create role ${role} login; grant pg_read_all_data to ${role}`);
  });
  afterAll(async () => {
    await database.query(`drop owned by ${role}; drop role ${role}`);
  });

  test.each([
    {
      title: 'a table with row security',
      before: `create table public.guarded (n int); alter table public.guarded enable row level security`,
      named: '"guarded"',
      after: 'drop table public.guarded',
    },
    { title: 'a large object of another role', before: 'select 1', named: 'large object', after: 'select 1' },
  ])('$title', async ({ before, named, after }) => {
    await database.query(before);
    const failing = takeBackup({ database: connectedWith({ user: role }), directory });
    await expect(failing).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: expect.stringContaining(named),
    });
    expect(contents()).toEqual([]);
    await database.query(after);
  });

  test('a table that stays locked', async () => {
    const locker = await database.connect();
    await locker.query('begin; lock table "Odd ""name"""."Order; drop" in access exclusive mode');
    try {
      await expect(takeBackup({ database, directory, config: { lock_wait: 200 } })).rejects.toMatchObject({
        code: 'TOOL_FAILED',
        message: expect.stringMatching(
          /Order; drop" was locked for more than 200 ?ms by session \d+ .*, test, idle in tr/,
        ),
      });
      expect(contents()).toEqual([]);
    } finally {
      await locker.end();
    }
  });
});

test('names with quotes, spaces, $ and newlines, and a hostile environment, change nothing', async () => {
  const name = `t_"a b's"\n$HOME;rm\\${process.pid}`;
  const quoted = `"${name.replaceAll('"', '""')}"`;
  await database.query(`create database ${quoted} template template0`);
  try {
    const set = await takeBackup({
      ...{ database: connectedWith({ database: name }), directory: join(place.path, `b"a\n$HOME 'x'`) },
      env: {
        ...process.env,
        ...{ PGDATABASE: 'nowhere', PGHOST: '/nowhere', PGUSER: 'nobody', PGOPTIONS: '-c search_path=x' },
        ...{ PGCLIENTENCODING: 'LATIN1', LANG: 'pl_PL.UTF-8', LC_ALL: 'tr_TR.UTF-8', TAR_OPTIONS: '--help' },
      },
    });
    expect(set.manifest.database.name).toBe(name);
  } finally {
    await database.query(`drop database ${quoted} with (force)`);
  }
});

test('two backups in one second, and one after the clock went back, have ids of their own', async () => {
  const ids = new Set<string>();
  for (const _n of [1, 2]) ids.add((await takeBackup({ database, directory })).id);
  expect(contents().length).toBe(2);
  expect(ids.size).toBe(2);
});

test('of two at once one is made, and the other is told that it is busy', async () => {
  const both = [takeBackup({ database, directory }), takeBackup({ database, directory })];
  const [first, second] = await Promise.allSettled(both);
  const failed = [first, second].filter((ending) => ending?.status === 'rejected');
  expect(failed).toMatchObject([{ reason: { code: 'BACKUP_BUSY', exitCode: 75 } }]);
  expect(contents().length).toBe(1);
});

test('whenever it is killed: no torso that looks like a set, no child, no session, and the next one succeeds', async () => {
  const script = fileURLToPath(new URL('../support/backup-process.ts', import.meta.url));
  const media = join(place.path, 'media');
  mkdirSync(media);
  writeFileSync(join(media, 'large'), Buffer.alloc(20_000_000, 'x'));
  const start = () =>
    // With the most generous umask: the set must not follow it.
    spawn(
      'sh',
      [
        '-c',
        'umask 0; exec "$@"',
        'sh',
        process.execPath,
        script,
        JSON.stringify(database.connection),
        JSON.stringify({ directory, files: [media] }),
      ],
      { stdio: 'inherit' },
    );
  const patiently = { timeout: 60_000 };
  const seen = (ending: RegExp) => existingNames().some((name) => ending.test(name));
  const existingNames = () => {
    try {
      return readdirSync(directory, { recursive: true, encoding: 'utf8' });
    } catch {
      return [];
    }
  };
  const phases = [
    /lock$/,
    /partial$/,
    /dump\.zst$/,
    /dump\.zst$/,
    /files\.tar\.zst$/,
    /files\.tar\.zst$/,
    /manifest/,
  ];
  for (const [index, phase] of phases.entries()) {
    const tend = start();
    const ended = once(tend, 'exit');
    while (!seen(phase) && tend.exitCode === null) await delay(2);
    await delay(index * 7);
    tend.kill(index % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
    await ended;
    using _lock = await lockBackups(directory);
    for (const set of (await listBackups(directory)).sets)
      for (const { file, bytes } of set.manifest.parts) expect(await set.files.size(file)).toBe(bytes);
    expect((await listBackups(directory)).damaged).toEqual([]);
    await expect.poll(async () => await sessions(), patiently).toEqual([]);
    await expect
      .poll(
        () => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes(`/${media.slice(1)}`),
        patiently,
      )
      .toBe(false);
  }
  const [code] = await once(start(), 'exit');
  expect(code).toBe(0);
  expect(contents().filter((name) => name.endsWith('.partial'))).toEqual([]);
  const [newest] = (await listBackups(directory)).sets;
  const modes = ['', ...readdirSync(newest?.path ?? '')].map((name) =>
    (statSync(join(newest?.path ?? '', name)).mode & 0o777).toString(8),
  );
  expect(modes).toEqual(['700', '600', '600', '600', '600']);
}, 300_000);

async function sessions(): Promise<unknown[]> {
  return await database.query(
    `select application_name, query from pg_stat_activity
      where datname = current_database() and application_name like 'tend %'`,
  );
}
