import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BackupSet } from '../../../src/backups/sets/backup-directory.ts';
import { TendError } from '../../../src/errors.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { companionsOf, dropCompanions, fixtureSql, restore, takeBackup } from '../support/fixture.ts';
import { flipByte } from '../support/flip-byte.ts';

let place: TemporaryDirectory;
let database: TestDatabase;
let set: BackupSet;

beforeEach(async () => {
  place = await temporaryDirectory();
  database = await createTestDatabase();
  await database.query(fixtureSql);
  set = await takeBackup({ database, directory: place.path });
});
afterEach(async () => {
  await dropCompanions(database);
  await database[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

async function queryIn<Row extends Record<string, unknown>>(name: string, sql: string): Promise<Row[]> {
  const client = await database.connect({ database: name });
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** What must be the same in the original and the copy. */
const fingerprint = `
  select (select md5(string_agg(p::text, '|' order by id)) from public.pages p) as pages,
    (select md5(string_agg(o::text, '|' order by id)) from "Odd ""name"""."Order; drop" o) as odd,
    (select md5(string_agg(e::text, '|' order by at, n)) from public.events e) as events,
    (select string_agg(title, ',' order by title) from public.titles) as titles,
    (select string_agg(md5(lo_get(oid)), ',' order by oid) from pg_largeobject_metadata) as objects,
    (select string_agg(indexdef, ',' order by indexname) from pg_indexes where schemaname <> 'pg_catalog') as indexes,
    (select public.page_count()) as counted,
    (select string_agg(schemaname || sequencename || coalesce(last_value, 0), ',' order by sequencename) from pg_sequences where schemaname <> 'tend') as sequences
`;

describe('into a new database', () => {
  test('everything is there as it was, and the live database is as it was', async () => {
    const [before] = await database.query(fingerprint);
    const into = `${database.name}_copy`;
    const result = await restore({ database, set, into });
    expect(result).toMatchObject({ database: into, keptAs: null, outageMs: null, backupId: set.id });
    expect(await queryIn(into, fingerprint)).toEqual([before]);
    expect(await database.query(fingerprint)).toEqual([before]);
    expect(await companionsOf(database)).toEqual([into]);
  });

  test('indexes are built with more memory than a server gives unless it is told', async () => {
    await database.query(`create materialized view public.settings_of_the_load as
      select current_setting('maintenance_work_mem') as memory, current_setting('synchronous_commit') as waiting`);
    const into = `${database.name}_copy`;
    await restore({ database, set: await takeBackup({ database, directory: place.path }), into });
    expect(await queryIn(into, 'select * from public.settings_of_the_load')).toEqual([
      { memory: '256MB', waiting: 'off' },
    ]);
  });

  test('rows that were written while the backup was made are in neither', async () => {
    const writer = await database.connect();
    const stop = { now: false };
    const writing = (async () => {
      while (!stop.now) await writer.query(`insert into public.events values ('2025-01-02', 1)`);
    })();
    const written = await takeBackup({ database, directory: place.path });
    stop.now = true;
    await writing;
    await writer.end();
    await restore({ database, set: written, into: `${database.name}_copy` });
  });

  test('a name that exists is refused', async () => {
    await expect(restore({ database, set, into: database.name })).rejects.toMatchObject({
      code: 'RESTORE_REFUSED',
      message: expect.stringContaining('exists already'),
    });
  });

  test('its unfinished tasks are held, and its queue still belongs to the original', async () => {
    await database.query(`select tend.enqueue('noop')`);
    const withTask = await takeBackup({ database, directory: place.path });
    const into = `${database.name}_copy`;
    const result = await restore({ database, set: withTask, into });
    expect(result.heldTasks).toBe(1);
    expect(await queryIn(into, `select state, reason from tend.tasks`)).toEqual([
      { state: 'held', reason: `restored from backup ${withTask.id}` },
    ]);
    const identity = `select tend.copied_from() is null as own`;
    expect(await queryIn(into, identity)).toEqual([{ own: false }]);
    expect(await database.query(`select state from tend.tasks`)).toEqual([{ state: 'waiting' }]);
  });
});

describe('in place of the live database', () => {
  test('it holds what was dumped, and the old one is kept with what came later', async () => {
    const [before] = await database.query(fingerprint);
    await database.query(`delete from public.events; create table public.newer ()`);
    const result = await restore({ database, set });
    expect(await database.query(fingerprint)).toEqual([before]);
    expect(await database.query(`select to_regclass('public.newer') as newer`)).toEqual([{ newer: null }]);
    expect(await queryIn(result.keptAs ?? '', `select count(*)::int as n from public.events`)).toEqual([
      { n: 0 },
    ]);
    expect(await companionsOf(database)).toEqual([result.keptAs]);
  });

  test('the live queue is carried over: nothing is done again, nothing is lost', async () => {
    await database.query(`select tend.enqueue('old')`);
    const withTask = await takeBackup({ database, directory: place.path });
    await database.query(`
      update tend.tasks set state = 'succeeded', finished_at = now() where kind = 'old';
      select tend.enqueue('newer')`);
    await restore({ database, set: withTask });
    expect(await database.query(`select kind, state from tend.tasks order by id`)).toEqual([
      { kind: 'old', state: 'succeeded' },
      { kind: 'newer', state: 'waiting' },
    ]);
    const [meta] = await database.query(`
      select m.database_name = current_database() and tend.copied_from() is null as "isOwn" from tend.meta m`);
    expect(meta).toEqual({ isOwn: true });
    const [next] = await database.query<{ id: string }>(`select tend.enqueue('next')::text as id`);
    expect(next).toEqual({ id: '3' });
  });

  test('a view of the application upon the queue stays', async () => {
    await database.query(`create view public.chores as select id, kind from tend.task_overview`);
    const withView = await takeBackup({ database, directory: place.path });
    await database.query(`select tend.enqueue('seen')`);
    await restore({ database, set: withView });
    expect(await database.query(`select kind from public.chores`)).toEqual([{ kind: 'seen' }]);
  });

  test('settings, privileges, limit and comment of the database go over', async () => {
    const role = `r_${database.name}`;
    await database.query(`create role ${role}`);
    try {
      const name = `"${database.name}"`;
      for (const statement of [
        `alter database ${name} set search_path to '$user', 'Odd "name"', public`,
        `alter database ${name} set "cms.motto" to 'it''s, "fine"'`,
        `alter role ${role} in database ${name} set work_mem to '8MB'`,
        `alter database ${name} connection limit 42`,
        `comment on database ${name} is 'the site''s database'`,
        `revoke connect on database ${name} from public`,
        `grant connect on database ${name} to ${role} with grant option`,
      ]) {
        await database.query(statement);
      }
      const properties = `
        select d.datacl::text[] as acl, d.datconnlimit, shobj_description(d.oid, 'pg_database') as comment,
               (select json_agg(s.setconfig order by s.setrole::regrole::text) from pg_db_role_setting s where s.setdatabase = d.oid) as settings
          from pg_database d where d.datname = current_database()`;
      const before = await database.query(properties);
      await restore({ database, set });
      expect(await database.query(properties)).toEqual(before);
    } finally {
      await dropCompanions(database);
      await database.query(`drop owned by ${role}; drop role ${role}`);
    }
  });

  test('sessions of others are ended, those who come during the change land in the new database', async () => {
    await database.query(`select tend.enqueue('early')`);
    const straggler = await database.connect();
    await straggler.query(
      `begin; select tend.enqueue('uncommitted'); update public.pages set title = 'x' where id = 1`,
    );
    const stop = { now: false };
    const seen: string[] = [];
    const reading = (async () => {
      while (!stop.now) {
        await database
          .query(`select`)
          .catch((error: Error & { code?: string }) => seen.push(error.code ?? error.message));
      }
    })();
    const result = await restore({ database, set });
    stop.now = true;
    await reading;
    await expect(straggler.query('commit')).rejects.toThrow();
    await straggler.end().catch(() => undefined);
    // Who is ended before the server knows who it is, is told nothing.
    const expected = ['57P01', '3D000', 'Connection terminated unexpectedly'];
    expect(seen.filter((said) => !expected.includes(said))).toEqual([]);
    expect(result.outageMs).toBeLessThan(30_000);
    expect(await database.query(`select kind from tend.tasks`)).toEqual([{ kind: 'early' }]);
  });

  test('a copy that nobody has adopted stays one', async () => {
    await database.query(`select tend.enqueue('early')`);
    await database.query(`update tend.meta set database_oid = 1`);
    await restore({ database, set });
    const [meta] = await database.query(`select tend.copied_from() is not null as "isCopy" from tend.meta`);
    expect(meta).toEqual({ isCopy: true });
  });

  test('idle sessions, which no lock of the queue has ended, are ended at the first try', async () => {
    const idle = await Promise.all([1, 2, 3].map(async () => await database.connect()));
    const warnings: string[] = [];
    const log = { debug() {}, info() {}, warn: (line: string) => void warnings.push(line) };
    await restore({ database, set, log });
    expect(warnings.filter((line) => line.includes('still in use'))).toEqual([]);
    for (const client of idle) {
      await expect(client.query('select')).rejects.toThrow();
      await client.end().catch(() => undefined);
    }
  });

  test('an application that is not healthy with it gets its old database back', async () => {
    await database.query(`select tend.enqueue('before')`);
    await database.query(`insert into public.events values ('2026-05-05', 7)`);
    const [before] = await database.query(fingerprint);
    const [oid] = await database.query(`select oid from pg_database where datname = current_database()`);
    const restarts: number[] = [];
    const failing = restore({
      database,
      set,
      app: {
        restart: async () => {
          const [row] = await database.query<{ n: number }>(
            `select count(*)::int as n from public.events where n = 7 and at = '2026-05-05'`,
          );
          restarts.push(row?.n ?? -1);
          if (restarts.length === 1) await database.query(`select tend.enqueue('meanwhile')`);
          return { tookMs: 0 };
        },
        check: async () => {
          if (restarts.length === 1)
            throw new TendError('APP_UNHEALTHY', 'The application is not healthy: 500.');
          return { tries: 1, tookMs: 0 };
        },
      },
    });
    await expect(failing).rejects.toMatchObject({ code: 'RESTORE_ROLLED_BACK', exitCode: 1 });
    expect(restarts).toEqual([0, 1]);
    expect(await database.query(fingerprint)).toEqual([before]);
    expect(await database.query(`select oid from pg_database where datname = current_database()`)).toEqual([
      oid,
    ]);
    expect(await companionsOf(database)).toEqual([]);
    // What was enqueued while the restored database was live is not lost either.
    expect(await database.query(`select kind from tend.tasks order by id`)).toEqual([
      { kind: 'before' },
      { kind: 'meanwhile' },
    ]);
    expect(await database.query(`select tend.copied_from() is null as "isOwn"`)).toEqual([{ isOwn: true }]);
  });

  test('a way back that does not help is exit 2, and both databases stay', async () => {
    const failing = restore({
      database,
      set,
      app: {
        check: async () => {
          throw new TendError('APP_UNHEALTHY', 'The application is not healthy: 500.');
        },
      },
    });
    await expect(failing).rejects.toMatchObject({ code: 'RESTORE_STUCK', exitCode: 2 });
    expect(await companionsOf(database)).toHaveLength(1);
  });

  test('a database without the queue is replaced as well', async () => {
    await database.query('drop schema tend cascade');
    const result = await restore({ database, set });
    expect(result.keptAs).toMatch(/_before_/);
    expect(await database.query(`select database_name = current_database() as own from tend.meta`)).toEqual([
      { own: true },
    ]);
  });

  test('a backup without the queue gets the live one', async () => {
    const bare = await createTestDatabase({ empty: true });
    await bare.query('create table public.pages (id int)');
    const other = await takeBackup({ database: bare, directory: place.path });
    await bare[Symbol.asyncDispose]();
    await database.query(`select tend.enqueue('kept')`);
    await restore({ database, set: other });
    expect(await database.query(`select kind from tend.tasks`)).toEqual([{ kind: 'kept' }]);
    expect(await database.query(`select tend.enqueue('works')::text as id`)).toEqual([{ id: '2' }]);
  });

  test('a database that was lost comes back under its name', async () => {
    await queryIn('postgres', `drop database "${database.name}"`);
    const result = await restore({ database, set });
    expect(result.keptAs).toBeNull();
    expect(await database.query(`select count(*)::int as n from public.pages`)).toEqual([{ n: 500 }]);
  });
});

describe('before the cut-over nothing is touched', () => {
  test.each([
    { title: 'cut off', damage: (path: string) => truncateSync(path, readFileSync(path).length - 10) },
    { title: 'changed', damage: (path: string) => flipByte(path, 0.5) },
  ])('a dump that was $title is refused before a database is made', async ({ damage }) => {
    damage(join(set.path, 'database.dump.zst'));
    await expect(restore({ database, set })).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    expect(await companionsOf(database)).toEqual([]);
  });

  test('data that differ from the manifest are refused, and the scratch database is dropped', async () => {
    const tables = set.manifest.tables.map((table) => ({
      ...table,
      rows: table.name === 'pages' ? 501 : table.rows,
    }));
    const differing = { ...set, manifest: { ...set.manifest, tables } };
    await expect(restore({ database, set: differing })).rejects.toMatchObject({
      code: 'RESTORE_REFUSED',
      message: expect.stringContaining('table "public"."pages" has 500 rows, expected 501'),
    });
    expect(await companionsOf(database)).toEqual([]);
  });

  test('roles and extensions that are missing here are named beforehand', async () => {
    const manifest = {
      ...set.manifest,
      roles: [...set.manifest.roles, 'nobody here'],
      extensions: [...set.manifest.extensions, { name: 'no_such_extension', version: '1' }],
    };
    await expect(restore({ database, set: { ...set, manifest } })).rejects.toMatchObject({
      code: 'RESTORE_REFUSED',
      details: expect.stringMatching(/role "nobody here".*\n.*extension "no_such_extension"/s),
    });
  });

  test('a dump of a newer PostgreSQL than the server is refused beforehand', async () => {
    const manifest = { ...set.manifest, database: { ...set.manifest.database, serverMajor: 99 } };
    await expect(restore({ database, set: { ...set, manifest } })).rejects.toMatchObject({
      code: 'RESTORE_REFUSED',
      message: expect.stringContaining('cannot read'),
    });
  });

  test('a pg_restore that is ended leaves no scratch database', async () => {
    await database.query(`create materialized view public.slow_elsewhere as
      select pg_sleep(case when current_database() = '${database.name}' then 0 else 80 end)::text`);
    const slow = await takeBackup({ database, directory: place.path });
    const controller = new AbortController();
    const running = restore({ database, set: slow, signal: controller.signal });
    running.catch(() => undefined);
    const loading = `select from pg_stat_activity where wait_event = 'PgSleep' and datname like '${database.name}\\_tend%'`;
    await expect.poll(() => database.query(loading)).not.toHaveLength(0);
    controller.abort(new Error('asked to stop'));
    await expect(running).rejects.toThrow('asked to stop');
    expect(await companionsOf(database)).toEqual([]);
  });

  test('what a killed restore has left is dropped by the next one', async () => {
    const left = `${database.name}_tend_20250101_000000_beef`;
    await queryIn('postgres', `create database "${left}"`);
    await queryIn(
      'postgres',
      `comment on database "${left}" is 'tend: a restore for database "${database.name}" that has not ended'`,
    );
    await restore({ database, set, into: `${database.name}_copy` });
    expect(await companionsOf(database)).toEqual([`${database.name}_copy`]);
  });
});
