import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listBackups } from '../../../src/backups/sets/backup-directory.ts';
import { lockBackups } from '../../../src/backups/sets/backup-lock.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { ageRoads, newKey } from '../support/age-keys.ts';
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
const lockers: pg.Client[] = [];
afterEach(async () => {
  for (const locker of lockers.splice(0)) await locker.end();
  await place[Symbol.asyncDispose]();
});

/** As long as it takes on a busy machine. */
const patiently = { timeout: 60_000 };

const script = fileURLToPath(new URL('../support/backup-process.ts', import.meta.url));

async function dumpSessions(): Promise<number> {
  const sessions = `select from pg_stat_activity where application_name = 'tend pg_dump' and datname = current_database()`;
  return (await database.query(sessions)).length;
}

/** Holds pg_dump up at the first table it wants to read. */
async function lockPages(): Promise<void> {
  const locker = await database.connect();
  lockers.push(locker);
  await locker.query('begin; lock table public.pages in access exclusive mode');
}

/** Everything in the backup directory but the lock. */
function contents(): string[] {
  return readdirSync(directory).filter((name) => name !== '.tend.lock');
}

/** A small file system of its own; only root can mount one. */
function mountSmall(path: string, size: string): Disposable {
  mkdirSync(path, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]);
  return { [Symbol.dispose]: () => void execFileSync('umount', [path]) };
}

async function sessionsOf(name: string): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()`,
    [name],
  );
  return row?.count ?? -1;
}

test('a set has the dump and a manifest that describes it exactly', async () => {
  const set = await takeBackup({ database, directory });
  expect(contents()).toEqual([set.id]);
  expect(readdirSync(set.path).sort()).toEqual(['database.dump.zst', 'globals.sql.zst', 'manifest.json']);
  const dump = readFileSync(join(set.path, 'database.dump.zst'));
  const { manifest } = set;
  expect(JSON.parse(readFileSync(join(set.path, 'manifest.json'), 'utf8'))).toEqual(manifest);
  expect(manifest.parts).toEqual([
    expect.objectContaining({
      bytes: dump.length,
      sha256: createHash('sha256').update(dump).digest('hex'),
      compression: 'zstd',
    }),
    expect.objectContaining({ file: 'globals.sql.zst', holds: 'globals' }),
  ]);
  const rows = new Map(manifest.tables.map((table) => [`${table.schema}.${table.name}`, table.rows]));
  expect(rows.get('public.pages')).toBe(500);
  expect(rows.get('Odd "name".Order; drop')).toBe(77);
  expect(rows.get('public.events_2025')).toBe(213);
  expect(rows.has('public.events')).toBe(false);
  expect(manifest.largeObjects).toBe(2);
  expect(manifest.extensions.map(({ name }) => name)).toEqual(['pg_trgm', 'plpgsql']);
  expect(manifest.sequences).toContainEqual({
    schema: 'public',
    name: 'tickets',
    before: '1030',
    after: '1030',
  });
  expect(manifest.sequences).toContainEqual({ schema: 'public', name: 'unused', before: null, after: null });
  expect(manifest.roles).toContain('tend_test');
});

test('with jobs, the zstd program compresses with as many threads', async () => {
  const tools = join(place.path, 'threads');
  mkdirSync(tools);
  const said = join(tools, 'said');
  const zstd = `#!/bin/sh\necho "$*" >> ${said}\nPATH=/usr/local/bin:/usr/bin:/bin exec zstd "$@"\n`;
  writeFileSync(join(tools, 'zstd'), zstd, { mode: 0o755 });
  const env = { ...process.env, PATH: `${tools}:${process.env['PATH']}` };
  await takeBackup({ database, directory, env, config: { compression: 'zstd:1' }, jobs: 3 });
  expect(readFileSync(said, 'utf8')).toContain('--check --threads=3 -1');
});

test('nobody but the owner can read a set', async () => {
  const set = await takeBackup({ database, directory });
  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
  expect([mode(directory), mode(set.path)]).toEqual(['700', '700']);
  for (const name of readdirSync(set.path)) expect(mode(join(set.path, name))).toBe('600');
});

test.each([
  { title: 'the zstd program', compression: 'zstd:1', env: process.env, compressor: 'zstd' },
  {
    title: "Node's own zstd",
    compression: 'zstd:3',
    env: { ...process.env, PATH: '/nowhere' },
    compressor: 'node:zlib',
  },
  { title: 'nothing', compression: 'none', env: process.env, compressor: 'none' },
])('the dump is compressed by $title', async ({ compression, env, compressor }) => {
  const set = await takeBackup({ database, directory, env, config: { compression } });
  expect(set.manifest.tools.compressor).toBe(compressor);
  const magic = readFileSync(join(set.path, set.manifest.parts[0]?.file ?? '')).subarray(0, 4);
  expect(magic.toString('latin1')).toBe(compression === 'none' ? 'PGDM' : '\x28\xb5\x2f\xfd');
});

const owner = await newKey(tmpdir());
afterAll(() => rmSync(dirname(owner.identity.path), { recursive: true }));

/** With the program where there is one: its process must go too. */
const encrypted = { config: { encrypt_to: [owner.recipient] }, env: ageRoads.at(-1)?.env ?? process.env };

const canMount = process.getuid?.() === 0 && process.platform === 'linux';

/** What is on disk of a backup that is at work. */
function filesOfPartial(): string[] {
  return readdirSync(join(directory, contents()[0] ?? ''));
}

/** Processes with this word in their arguments. */
function processesNaming(word: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word);
    } catch {
      return false;
    }
  });
}

describe.each([
  { sort: 'a', options: { config: {}, env: process.env }, file: 'database.dump.zst' },
  { sort: 'an encrypted', options: encrypted, file: 'database.dump.zst.age' },
])('what ends $sort backup early leaves nothing', ({ options, file }) => {
  test('a stop signal: no set, no child, no session', async () => {
    const controller = new AbortController();
    await lockPages();
    const running = takeBackup({ database, directory, signal: controller.signal, ...options });
    running.catch(() => undefined);
    await expect
      .poll(
        async () =>
          await database.query(
            `select from pg_stat_activity where application_name = 'tend pg_dump' and datname = current_database()`,
          ),
        patiently,
      )
      .toHaveLength(1);
    await expect.poll(filesOfPartial, patiently).toEqual([file]);
    controller.abort(new Error('asked to stop'));
    await expect(running).rejects.toThrow('asked to stop');
    expect(contents()).toEqual([]);
    expect(processesNaming(owner.recipient)).toEqual([]);
    await expect.poll(async () => await sessionsOf(database.name), patiently).toBe(1);
  });

  test('a pg_dump whose session is ended', async () => {
    await lockPages();
    const running = takeBackup({ database, directory, ...options });
    running.catch(() => undefined);
    await expect
      .poll(
        async () =>
          await database.query(
            `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tend pg_dump' and datname = current_database()`,
          ),
        patiently,
      )
      .toHaveLength(1);
    await expect(running).rejects.toMatchObject({
      code: 'DATABASE_CONNECTION_LOST',
      message: expect.stringContaining('pg_dump'),
    });
    expect(contents()).toEqual([]);
  });

  test('tend itself, by kill -9: no set, no child, no session, and the lock is free', async () => {
    await lockPages();
    const settings = JSON.stringify({ directory, ...options.config });
    const tend = spawn(process.execPath, [script, JSON.stringify(database.connection), settings], {
      stdio: 'inherit',
      env: options.env,
    });
    await expect.poll(async () => await dumpSessions(), patiently).toBe(1);
    expect(contents()).toEqual([expect.stringMatching(/\.partial$/)]);
    await expect.poll(filesOfPartial, patiently).toEqual([file]);
    tend.kill('SIGKILL');
    await once(tend, 'exit');
    await expect.poll(async () => await dumpSessions(), patiently).toBe(0);
    await expect.poll(() => processesNaming(owner.recipient), patiently).toEqual([]);
    expect((await listBackups(directory)).sets).toEqual([]);
    using _lock = await lockBackups(directory);
  });

  test.skipIf(!canMount).each([
    { title: 'in the middle of the dump', noise: 9000, files: 'none' },
    { title: 'in the middle of the files', noise: 0, files: 'noise' },
  ])('a disk that fills up $title: exit 73, and the older set is as it was', async (variant) => {
    const older = await takeBackup({ database, directory: place.path });
    using _disk = mountSmall(directory, '600k');
    execFileSync('cp', ['-a', older.path, directory]);
    const media = join(place.path, 'media');
    mkdirSync(media);
    // Measured when it is small; it is found large when it is read.
    const tools = join(place.path, 'tools');
    mkdirSync(tools);
    const growing = `#!/bin/sh\ncase "$*" in *--file=-*) head -c 2000000 /dev/urandom > ${media}/new;; esac\nexec /bin/tar "$@"\n`;
    writeFileSync(join(tools, 'tar'), growing, { mode: 0o755 });
    await database.query(
      `create table public.noise as select sha512(n::text::bytea) as bytes from generate_series(1, ${variant.noise}) n`,
    );
    try {
      const failing = takeBackup({
        ...{ database, directory, env: { ...options.env, PATH: `${tools}:${options.env['PATH']}` } },
        config: { ...options.config, files: variant.files === 'none' ? [] : [media] },
      });
      await expect(failing).rejects.toMatchObject({
        code: 'OUTPUT_UNWRITABLE',
        exitCode: 73,
        message: expect.stringContaining('ENOSPC'),
      });
      expect(contents()).toEqual([older.id]);
      expect((await listBackups(directory)).sets).toMatchObject([{ manifest: older.manifest }]);
    } finally {
      await database.query('drop table public.noise');
    }
  });

  test.skipIf(!canMount)('too little space, seen beforehand: exit 73 with the numbers', async () => {
    using _disk = mountSmall(directory, '64k');
    const torso = join(directory, '20250101T000000Z-beef.partial');
    mkdirSync(torso);
    await expect(takeBackup({ database, directory })).rejects.toMatchObject({
      code: 'OUTPUT_UNWRITABLE',
      exitCode: 73,
      message: expect.stringMatching(/needs about .* MB, and .* kB are free/),
    });
    expect(contents()).toEqual([]);
  });

  test('a pg_dump that writes half and then fails', async () => {
    const tools = join(place.path, 'tools');
    mkdirSync(tools);
    const script =
      '#!/bin/sh\n[ "$1" = --version ] && { echo "pg_dump (PostgreSQL) 15.99"; exit; }\necho PGDMP; exit 3\n';
    writeFileSync(join(tools, 'pg_dump'), script, { mode: 0o755 });
    const config = { ...options.config, tools_directory: tools };
    const failing = takeBackup({ database, directory, ...options, config });
    await expect(failing).rejects.toMatchObject({ code: 'TOOL_FAILED' });
    expect(contents()).toEqual([]);
  });
});

test('what a killed backup has left is swept, and foreign files stay', async () => {
  mkdirSync(join(directory, '20250101T000000Z-beef.partial'), { recursive: true });
  writeFileSync(join(directory, '20250101T000000Z-beef.partial', 'database.dump.zst'), 'torso');
  mkdirSync(join(directory, 'notes.partial'));
  const set = await takeBackup({ database, directory });
  expect(contents().sort()).toEqual([set.id, 'notes.partial'].sort());
});

test('while another works in the directory it is busy', async () => {
  using _lock = await lockBackups(directory);
  await expect(takeBackup({ database, directory })).rejects.toMatchObject({
    code: 'BACKUP_BUSY',
    exitCode: 75,
  });
});

test('without files asked for, configured files are no obstacle', async () => {
  const set = await takeBackup({
    database,
    directory,
    config: { files: ['/srv/media'] },
    includeFiles: 'no',
  });
  expect(contents()).toEqual([set.id]);
});

test('a pg_dump of another version is not used, and the package is named', async () => {
  const tools = join(place.path, 'tools');
  mkdirSync(tools);
  writeFileSync(join(tools, 'pg_dump'), '#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6.24"\n', { mode: 0o755 });
  await expect(takeBackup({ database, directory, config: { tools_directory: tools } })).rejects.toMatchObject(
    {
      code: 'TOOL_NOT_FOUND',
      message: expect.stringContaining('9.6.24'),
      hint: expect.stringMatching(/postgresql-client-\d+/),
    },
  );
});

test('a directory that cannot be made is exit 73', async () => {
  writeFileSync(join(place.path, 'file'), '');
  await expect(
    takeBackup({ database, directory: join(place.path, 'file', 'backups') }),
  ).rejects.toMatchObject({
    code: 'OUTPUT_UNWRITABLE',
    exitCode: 73,
  });
});
