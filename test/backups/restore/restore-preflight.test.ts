import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openMaintenanceDatabase } from '../../../src/backups/restore/maintenance-database.ts';
import { draftRestore } from '../../../src/backups/restore/plan-restore.ts';
import type { BackupSet } from '../../../src/backups/sets/backup-directory.ts';
import { lockBackups } from '../../../src/backups/sets/backup-lock.ts';
import type { Manifest } from '../../../src/backups/sets/manifest.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { findPostgresBinaries } from '../../support/postgres-binaries.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { unprivilegedUser } from '../../support/unprivileged-user.ts';
import { companionsOf, dropCompanions, restore, takeBackup } from '../support/fixture.ts';
import { id } from '../support/rich-database.ts';

let database: TestDatabase;
let place: TemporaryDirectory;
let set: BackupSet;

beforeAll(async () => {
  place = await temporaryDirectory();
  database = await createTestDatabase({ empty: true });
  await database.query('create table public.pages as select n from generate_series(1, 10) n');
  set = await takeBackup({ database, directory: place.path });
});
afterEach(async () => await dropCompanions(database));
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

function changed(change: (manifest: Manifest) => Partial<Manifest>): BackupSet {
  return { ...set, manifest: { ...set.manifest, ...change(set.manifest) } };
}

async function obstaclesTo(
  options: { set?: BackupSet; into?: string; user?: string } = {},
): Promise<{ what: string; fix: string | null }[]> {
  const connection = { ...database.connection, ...(options.user !== undefined && { user: options.user }) };
  await using maintenance = await openMaintenanceDatabase({ connection, applicationName: 'preflight' });
  const { into } = options;
  const plan = await draftRestore({
    ...{ set: options.set ?? set, source: null, connection, maintenance, into, id: '20260101T000000Z-beef' },
  });
  return plan.obstacles;
}

describe('what is in the way is said beforehand, all of it, with what helps', () => {
  test('nothing, where nothing is', async () => {
    expect(await obstaclesTo()).toEqual([]);
    expect(await obstaclesTo({ into: `${database.name}_copy` })).toEqual([]);
  });

  test('the worst comes first: a newer server, then roles, extensions, space', async () => {
    const bad = changed((manifest) => ({
      database: { ...manifest.database, serverMajor: 99, serverVersion: '99.1', sizeBytes: 1e17 },
      roles: ['no "body"'],
      extensions: [
        { name: 'postgis', version: '3' },
        { name: 'no_such_thing', version: '1' },
      ],
    }));
    const [version, role, postgis, unknown, space, ...others] = await obstaclesTo({ set: bad });
    expect(version).toMatchObject({
      what: expect.stringContaining('PostgreSQL 99.1'),
      fix: expect.stringContaining('99'),
    });
    expect(role).toMatchObject({
      what: expect.stringContaining('no "body"'),
      fix: 'create role "no ""body"""',
    });
    expect(postgis?.fix).toMatch(/apt-get install postgresql-\d+-postgis-3/);
    expect(unknown).toMatchObject({ what: expect.stringContaining('no_such_thing'), fix: null });
    expect(space?.what).toMatch(/had 100 PB, and ".+" has .+ free/);
    expect(others).toEqual([]);
  });

  test('a name that exists, and one that PostgreSQL would cut off', async () => {
    expect(await obstaclesTo({ into: database.name })).toMatchObject([
      { what: expect.stringContaining('exists already') },
    ]);
    expect(await obstaclesTo({ into: 'ü'.repeat(32) })).toMatchObject([
      { what: expect.stringContaining('has 64 bytes') },
    ]);
    expect(await obstaclesTo({ into: 'x'.repeat(63) })).toEqual([]);
  });

  test('a role that may not create databases learns of the other way', async () => {
    const user = `${database.name}_poor`;
    await database.query(`create role ${id(user)} login`);
    const found = await obstaclesTo({ user });
    await database.query(`drop role ${id(user)}`);
    expect(found[0]).toMatchObject({
      what: `role "${user}" may not create databases`,
      fix: expect.stringMatching(/alter role .* createdb; .*--in-place/),
    });
  });

  test('sessions that this role may not end, with the program they are of', async () => {
    const user = `${database.name}_half`;
    await database.query(`create role ${id(user)} login createdb`);
    await database.query(`alter database ${id(database.name)} owner to ${id(user)}`);
    const other = await database.connect({ application_name: 'payroll' });
    const found = await obstaclesTo({ user });
    await other.end();
    await database.query(`alter database ${id(database.name)} owner to current_user; drop role ${id(user)}`);
    expect(found.map(({ what }) => what)).toEqual([
      expect.stringMatching(/^session \d+ .*\(payroll\) cannot be ended/),
    ]);
  });
});

test('a role that is missing is made, and another stands in for it or takes what it owns', async () => {
  const [old, cms] = [`${database.name}_old`, `${database.name}_cms`];
  await using origin = await createTestDatabase({ empty: true });
  await origin.query(`create role ${id(old)}`);
  await origin.query(`create table public.notes (n int); insert into public.notes values (1);
    alter table public.notes owner to ${id(old)}; alter table public.notes enable row level security;
    create policy own on public.notes to ${id(old)} using (true);
    create table public.shared (n int); grant select on public.shared to ${id(old)}`);
  const roleSet = await takeBackup({ database: origin, directory: place.path });
  await origin.query(`drop owned by ${id(old)}; drop role ${id(old)}`);
  const into = `${database.name}_copy`;
  await expect(restore({ database, set: roleSet, into })).rejects.toMatchObject({
    message: expect.stringContaining(`role "${old}" of the dump does not exist here`),
    hint: expect.stringContaining(`create role ${old}`),
  });

  await database.query(
    `create role ${id(old)} nologin; create role ${id(cms)}; grant ${id(old)} to ${id(cms)}`,
  );
  await restore({ database, set: roleSet, into });
  const copy = await database.connect({ database: into });
  const rows = async () =>
    (
      await copy.query(
        'select (select count(*) from public.notes)::int + (select count(*) from public.shared)::int as n',
      )
    ).rows;
  await copy.query(`set role ${id(cms)}`);
  expect(await rows()).toEqual([{ n: 1 }]);
  await copy.query('reset role');
  await copy.query(
    `reassign owned by ${id(old)} to ${id(cms)}; drop owned by ${id(old)}; drop role ${id(old)}`,
  );
  const { rows: owners } = await copy.query(
    `select tableowner from pg_tables where schemaname = 'public' and tablename = 'notes'`,
  );
  await copy.end();
  expect(owners).toEqual([{ tableowner: cms }]);
  await dropCompanions(database);
  await database.query(`drop role ${id(cms)}`);
});

describe('a name', () => {
  test('of a database may need quotes, and be as long as PostgreSQL allows', async () => {
    const into = `${database.name} O'Hara "the = 1" \\ $x`.padEnd(63, '-');
    await expect(restore({ database, set, into })).resolves.toMatchObject({ database: into, rows: 10 });
    expect(await companionsOf(database)).toEqual([into]);
  });
});

describe('while something else works in the backup directory', () => {
  test('a restore is not begun: exit code 75', async () => {
    using _lock = await lockBackups(place.path);
    await expect(restore({ database, set, lockDirectory: place.path })).rejects.toMatchObject({
      code: 'BACKUP_BUSY',
      exitCode: 75,
    });
    expect(await companionsOf(database)).toEqual([]);
  });
});

describe('a pg_restore that hangs', () => {
  let tools: TemporaryDirectory;
  beforeEach(async () => {
    tools = await temporaryDirectory();
  });
  afterEach(async () => await tools[Symbol.asyncDispose]());

  function fakeRestore(hangsWhere: string): string {
    const path = join(tools.path, 'pg_restore');
    const real = join(findPostgresBinaries(), 'pg_restore');
    writeFileSync(
      path,
      `#!/bin/sh\ncase "$*" in *${hangsWhere}*) exec sleep 600;; esac\nexec ${real} "$@"\n`,
    );
    chmodSync(path, 0o755);
    return tools.path;
  }

  test.each([2, 1])('is ended when neither it nor the server gets on (%i workers)', async (jobs) => {
    const toolsDirectory = fakeRestore('--dbname');
    await expect(
      restore({ database, set, into: `${database.name}_copy`, toolsDirectory, jobs, stallLimitMs: 1500 }),
    ).rejects.toMatchObject({
      code: 'TOOL_TIMED_OUT',
      message: '"pg_restore" was stopped: it made no progress for 1.5 s.',
    });
    expect(await companionsOf(database)).toEqual([]);
  });

  test('while the archive is verified is ended, and the archive is not called damaged', async () => {
    const { verifyBackup } = await import('../../../src/backups/verify/verify-backup.ts');
    const { silentLog } = await import('../../../src/log.ts');
    const signal = new AbortController().signal;
    const toolsDirectory = fakeRestore('--file');
    await expect(
      verifyBackup({ set, toolsDirectory, env: process.env, log: silentLog, silenceMs: 1000, signal }),
    ).rejects.toMatchObject({ code: 'TOOL_TIMED_OUT' });
  });

  test('is left alone while the server builds an index for it', async () => {
    await using slow = await createTestDatabase({ empty: true });
    await slow.query(`
      create function public.slow(n int) returns int immutable language sql return n + case
        when current_setting('application_name') = 'tend pg_restore' then (pg_catalog.pg_sleep(2.5) is null)::int else 0 end;
      create table public.one as select 1 as n; create index on public.one (public.slow(n))`);
    const slowSet = await takeBackup({ database: slow, directory: place.path });
    await expect(
      restore({ database: slow, set: slowSet, into: `${slow.name}_copy`, stallLimitMs: 1000 }),
    ).resolves.toMatchObject({ rows: 1 });
    await dropCompanions(slow);
  });
});

test('where the disk of the work directory is full, the dump is loaded without being unpacked', async () => {
  const huge = changed(({ parts }) => ({
    parts: parts.map((part) => ({ ...part, uncompressedBytes: 1e17 })),
  }));
  const warnings: string[] = [];
  const log = { debug() {}, info() {}, warn: (line: string) => void warnings.push(line) };
  await restore({ database, set: huge, into: `${database.name}_copy`, log });
  expect(warnings).toEqual([
    expect.stringMatching(/loaded by one worker: ".+" has .+ free, and 100 PB are needed/),
  ]);
});

test.each([
  { next: 'that unpacks its dump', uncompressedBytes: undefined },
  { next: 'that has no space for it', uncompressedBytes: 1e17 },
])(
  'what a killed restore has unpacked is removed by the next one $next, and what a running one has is not',
  async ({ uncompressedBytes }) => {
    const { existsSync, mkdirSync } = await import('node:fs');
    const [dead, alive] = [
      join(place.path, '.tend-unpacked-dead00'),
      join(place.path, '.tend-unpacked-alive0'),
    ];
    mkdirSync(dead, { mode: 0o700 });
    writeFileSync(join(dead, 'database.dump'), 'left');
    using _lock = await lockBackups(alive);
    const asked = changed(({ parts }) => ({
      parts: parts.map((part) => ({
        ...part,
        ...(uncompressedBytes !== undefined && { uncompressedBytes }),
      })),
    }));
    await restore({ database, set: asked, into: `${database.name}_copy` });
    expect([existsSync(dead), existsSync(alive)]).toEqual([false, true]);
  },
);

describe.skipIf(process.getuid?.() !== 0)('a disk that becomes full', () => {
  let disk: TemporaryDirectory;
  beforeEach(async () => {
    disk = await temporaryDirectory();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=777', 'tmpfs', disk.path]);
  });
  afterEach(async () => {
    execFileSync('umount', [disk.path]);
    await disk[Symbol.asyncDispose]();
  });

  test('while the dump is unpacked costs time, not the restore', async () => {
    await using big = await createTestDatabase({ empty: true });
    await big.query(
      `create table public.noise as select sha512(n::text::bytea) as bytes from generate_series(1, 20000) n`,
    );
    const bigSet = await takeBackup({ database: big, directory: place.path });
    // As when somebody else fills the disk after it was looked at.
    const parts = bigSet.manifest.parts.map((part) => ({ ...part, uncompressedBytes: 1 - 64 * 1024 * 1024 }));
    const looksSmall = {
      ...bigSet,
      manifest: { ...bigSet.manifest, parts, database: { ...bigSet.manifest.database, sizeBytes: 0 } },
    };
    const warnings: string[] = [];
    const log = { debug() {}, info() {}, warn: (line: string) => void warnings.push(line) };
    const into = `${big.name}_copy`;
    await expect(
      restore({ database: big, set: looksSmall, into, workDirectory: disk.path, log }),
    ).resolves.toMatchObject({
      rows: 20_000,
    });
    expect(warnings).toEqual([expect.stringMatching(/loaded by one worker: .*ENOSPC/)]);
    expect(readdirSync(disk.path)).toEqual([]);
    await dropCompanions(big);
  });

  test('on the server is said as the server says it; the live database is as it was', async () => {
    const user = unprivilegedUser();
    if (user !== undefined) chownSync(disk.path, user.uid, user.gid);
    await using big = await createTestDatabase({ empty: true });
    const space = `${big.name}_space`;
    await big.query(`create tablespace ${space} location '${disk.path}'`);
    try {
      await big.query(
        `create table public.noise tablespace ${space} as select sha512(n::text::bytea) as bytes from generate_series(1, 6000) n`,
      );
      const bigSet = await takeBackup({ database: big, directory: place.path });
      await expect(restore({ database: big, set: bigSet })).rejects.toMatchObject({
        exitCode: 1,
        message: expect.stringContaining('No space left on device'),
      });
      expect(await companionsOf(big)).toEqual([]);
      expect(await big.query('select count(*)::int as n from public.noise')).toEqual([{ n: 6000 }]);
    } finally {
      await big.query('drop table if exists public.noise');
      await big.query(`drop tablespace ${space}`);
    }
  });
});

test('what only a superuser may create is named when another restores it', async () => {
  const user = `${database.name}_plain`;
  await using watched = await createTestDatabase({ empty: true });
  await watched.query(`create role ${id(user)} login createdb`);
  await watched.query(`alter database ${id(watched.name)} owner to ${id(user)}`);
  await watched.query(`
    create function public.guard() returns event_trigger language plpgsql as 'begin null; end';
    alter function public.guard() owner to ${id(user)}; create event trigger guards on ddl_command_start execute function public.guard()`);
  const watchedSet = await takeBackup({ database: watched, directory: place.path });
  const connection = { ...watched.connection, user };
  await expect(
    restore({ database: watched, set: watchedSet, connection, into: `${watched.name}_copy` }),
  ).rejects.toMatchObject({
    exitCode: 1,
    message: expect.stringMatching(/permission denied to create event trigger "guards"/),
  });
  expect(await companionsOf(watched)).toEqual([]);
  await watched.query(
    `drop event trigger guards; drop function public.guard(); alter database ${id(watched.name)} owner to current_user; drop role ${id(user)}`,
  );
});
