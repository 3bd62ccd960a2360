import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { AppControls } from '../../../src/app/app-controls.ts';
import type { RestoreResult } from '../../../src/backups/restore/restore-options.ts';
import type { BackupSet } from '../../../src/backups/sets/backup-directory.ts';
import { restoreWithin } from '../../../src/backups/within/restore-within.ts';
import { systemClock } from '../../../src/clock.ts';
import { openDatabase } from '../../../src/database/open-database.ts';
import { TendError } from '../../../src/errors.ts';
import { progressToLog, silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startCli } from '../../support/run-cli.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { companionsOf, fixtureSql, takeBackup } from '../support/fixture.ts';

let database: TestDatabase;
let place: TemporaryDirectory;
let set: BackupSet;
let role: string;
beforeAll(async () => {
  database = await createTestDatabase();
  place = await temporaryDirectory();
  await database.query(fixtureSql);
  // The application's own role owns its database, and may do nothing else on the server.
  role = `${database.name}_owner`;
  await database.query(`create role "${role}" login password 'owner'`);
  await database.query(`do $$ declare o record; begin
    execute format('alter database %I owner to %I', current_database(), '${role}');
    for o in select format('alter schema %I owner to %I', nspname, '${role}') as statement from pg_namespace
        where nspname !~ '^pg_' and nspname not in ('information_schema', 'public')
      union all select format('alter %s %s owner to %I', case relkind when 'v' then 'view' when 'm' then 'materialized view'
          when 'S' then 'sequence' else 'table' end, c.oid::regclass, '${role}')
        from pg_class c join pg_namespace n on n.oid = relnamespace
       where relkind in ('r', 'p', 'v', 'm', 'S') and nspname !~ '^pg_' and nspname <> 'information_schema'
         and not exists (select from pg_depend d where d.objid = c.oid and d.deptype in ('a', 'i') and relkind = 'S')
      union all select format('alter routine %s owner to %I', p.oid::regprocedure, '${role}')
        from pg_proc p join pg_namespace n on n.oid = pronamespace
       where nspname !~ '^pg_' and nspname <> 'information_schema'
         and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
      union all select format('alter large object %s owner to %I', oid, '${role}') from pg_largeobject_metadata
    loop execute o.statement; end loop; end $$`);
  set = await takeBackup({ database, directory: join(place.path, 'backups') });
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  const client = await database.connect({ database: 'postgres' });
  await client.query(`drop role "${role}"`);
  await client.end();
  await place[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await database.query(`update public.pages set title = 'changed' where id <= 10`);
  await database.query(
    `delete from public.pages where id > 200 and id not in (select page_id from "Odd ""name"""."Order; drop")`,
  );
});

interface Given {
  app?: AppControls;
  lockWaitMs?: number;
  backUpFirst?: (label: string) => Promise<BackupSet>;
}

async function restoreAsOwner(given: Given = {}): Promise<RestoreResult> {
  const connection = { ...database.connection, user: role, password: 'owner' };
  const applicationName = 'tend restore test';
  await using db = openDatabase({ connection, applicationName });
  return await restoreWithin({
    ...{ set, connection, db, applicationName, into: undefined, app: {}, lockDirectory: undefined },
    ...{ journalDirectory: join(dirname(set.path), '.restores'), source: set.path, taskId: null, jobs: 1 },
    ...{ keepReplacedMs: 0, toolsDirectory: undefined, workDirectory: place.path, clock: systemClock },
    ...{
      env: process.env,
      secrets: new SecretRegistry(),
      log: silentLog,
      progress: progressToLog(silentLog),
    },
    ...{ signal: new AbortController().signal, backUpFirst: undefined },
    ...given,
  });
}

const pages = async () =>
  await database.query<{ rows: string; changed: string }>(
    `select count(*) as rows, count(*) filter (where title = 'changed') as changed from public.pages`,
  );
const restored = [{ rows: '500', changed: '0' }];
const live = [{ rows: '200', changed: '10' }];

test('a role that may not create databases gets back what was backed up, and the queue goes on', async () => {
  await database.query(`select tend.enqueue('noop', '{}')`);
  const tasks = await database.query('select id, state from tend.tasks order by id');
  const result = await restoreAsOwner();
  expect(result).toMatchObject({ compared: true, keptAs: null, savedAs: null, backupId: set.id });
  expect(await pages()).toEqual(restored);
  expect(await database.query('select id, state from tend.tasks order by id')).toEqual(tasks);
  expect(await database.query(`select extname from pg_extension where extname = 'pg_trgm'`)).toHaveLength(1);
  expect(await companionsOf(database)).toEqual([]);
});

const newer = [
  { what: 'a table', is: 'table public.since', make: 'create table public.since (n int)' },
  {
    what: 'a function',
    is: 'function public.page_count(integer)',
    make: `create function public.page_count(int) returns int language sql as 'select 1'`,
  },
  { what: 'a type', is: 'type public.mood', make: `create type public.mood as enum ('fine')` },
  { what: 'a schema', is: 'schema since', make: 'create schema since' },
];

test.each(newer)('what is newer than the backup is named, and refused ($what)', async ({ is, make }) => {
  await database.query(make);
  try {
    const error = await restoreAsOwner().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'RESTORE_REFUSED', exitCode: 1, details: is });
    expect(await pages()).toEqual(live);
  } finally {
    await database.query(`drop ${is} cascade`);
  }
});

test('what belongs to another role is named, and refused', async () => {
  await database.query('alter view public.recent owner to current_user');
  await expect(restoreAsOwner()).rejects.toMatchObject({
    code: 'RESTORE_REFUSED',
    details: 'view public.recent',
  });
  await database.query(`alter view public.recent owner to "${role}"`);
});

test('a session that holds a lock is named, and left alone; nothing has changed', async () => {
  const session = openDatabase({ connection: database.connection, applicationName: 'a writer' });
  await session.transaction().execute(async (trx) => {
    const { sql } = await import('kysely');
    await sql`update public.pages set body = null where id = 3`.execute(trx);
    await expect(restoreAsOwner({ lockWaitMs: 300 })).rejects.toMatchObject({
      ...{ code: 'DATABASE_BUSY', exitCode: 75, message: expect.stringContaining('a writer') },
    });
    await sql`select`.execute(trx);
  });
  await session.destroy();
  expect(await pages()).toEqual(live);
});

test('a loading that fails in the middle has changed nothing', async () => {
  // What depends on a table from where nobody looked beforehand, so that it cannot be dropped when others are.
  await database.query('create cast (public.pages as text) with inout');
  try {
    await expect(restoreAsOwner()).rejects.toMatchObject({
      ...{ code: 'TOOL_FAILED', message: expect.stringContaining('other objects depend on it') },
    });
    expect(await pages()).toEqual(live);
  } finally {
    await database.query('drop cast (public.pages as text)');
  }
});

test('a loading that is killed in the middle has changed nothing', async () => {
  const writer = openDatabase({ connection: database.connection, applicationName: 'a writer' });
  await writer.transaction().execute(async (trx) => {
    const { sql } = await import('kysely');
    // Of the tables, the last that is dropped: all others are gone by then, for this transaction.
    await sql`lock table public.pages in access share mode`.execute(trx);
    const restoring = restoreAsOwner({ lockWaitMs: 60_000 }).catch((error: unknown) => error);
    const waits = `select pid from pg_stat_activity where datname = current_database()
      and application_name = 'tend pg_restore' and wait_event_type = 'Lock'`;
    await expect.poll(async () => await database.query(waits), { timeout: 60_000 }).toHaveLength(1);
    await database.query(`select pg_terminate_backend(pid) from (${waits}) w`);
    expect(await restoring).toMatchObject({ code: 'DATABASE_CONNECTION_LOST' });
  });
  await writer.destroy();
  expect(await pages()).toEqual(live);
});

test('where the application is not well afterwards, the error names the set that leads back', async () => {
  const saved: string[] = [];
  const backUpFirst = async (label: string) => {
    const taken = await takeBackup({ database, directory: join(place.path, 'before') });
    saved.push(label, taken.id);
    return taken;
  };
  const check = async () => await Promise.reject(new TendError('APP_UNHEALTHY', 'The application is ill.'));
  const failed = await restoreAsOwner({ app: { check }, backUpFirst }).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: 'RESTORE_STUCK', exitCode: 2 });
  expect(failed).toMatchObject({
    message: expect.stringContaining('The application is ill.'),
    hint: expect.stringContaining(`tend restore ${saved[1]} --in-place --confirm ${database.name}`),
  });
  expect(saved[0]).toMatch(/^before restore \d/);
  expect(await pages()).toEqual(restored);
});

test('files are not exchanged with it: that is refused before anything is done', async () => {
  const [part] = set.manifest.parts;
  if (part === undefined) throw new Error('no part');
  const withFiles = {
    ...set.manifest,
    parts: [part, { ...part, holds: 'files' as const, file: 'files.tar' }],
  };
  const options = {
    set: { ...set, manifest: withFiles },
    files: { backup: { files: [], silence: 1000 }, baseDirectory: '/' },
  };
  await expect(restoreAsOwner(options as Given)).rejects.toMatchObject({
    ...{ code: 'RESTORE_REFUSED', hint: expect.stringContaining('--no-files') },
  });
});

test('killed with -9 while it loads it has changed nothing, and the next one restores', async () => {
  const url = database.url.replace(/\/\/[^@]*@/, `//${role}:owner@`);
  const toml = `[database]\nurl = ${JSON.stringify(url)}\n[backup]\ndirectory = "backups"\n`;
  writeFileSync(join(place.path, 'tend.toml'), toml);
  const args = ['restore', set.id, '--in-place', '--confirm', database.name, '--json'];
  const writer = await database.connect();
  await writer.query('begin; lock table public.pages in access share mode');
  const killed = await startCli(args, { cwd: place.path });
  const sessions = `select pid from pg_stat_activity where datname = current_database() and application_name = 'tend pg_restore'`;
  await expect
    .poll(async () => await database.query(`${sessions} and wait_event_type = 'Lock'`), { timeout: 60_000 })
    .toHaveLength(1);
  killed.child.kill('SIGKILL');
  await killed.result;
  // The server itself notices that pg_restore is gone.
  await expect.poll(async () => await database.query(sessions), { timeout: 60_000 }).toEqual([]);
  await writer.end();
  expect(await pages()).toEqual(live);

  const preview = await startCli([...args, '--dry-run'], { cwd: place.path });
  const dryRun = await preview.result;
  expect(dryRun).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(dryRun.stdout)).toMatchObject({ database: database.name, isSaved: true });
  expect(await pages()).toEqual(live);

  const { result } = await startCli(args, { cwd: place.path });
  const { exitCode, stdout, stderr } = await result;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(await pages()).toEqual(restored);
  const { savedAs } = JSON.parse(stdout) as { savedAs: string };
  const before = JSON.parse(
    readFileSync(join(place.path, 'backups', savedAs, 'manifest.json'), 'utf8'),
  ) as unknown;
  expect(before).toMatchObject({ label: expect.stringMatching(/^before restore /) });
}, 120_000);
