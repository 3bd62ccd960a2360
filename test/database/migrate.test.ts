import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Kysely } from 'kysely';
import { expect, it } from 'vitest';
import { findMigrations, migrateUp } from '../../src/database/migrate.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { requireSchema } from '../../src/database/require-schema.ts';
import { schemaVersion } from '../../src/database/schema-version.ts';
import type { Database } from '../../src/database/tables.ts';
import { TendError } from '../../src/errors.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const all = ['0001-queue', '0002-schedules', '0003-backups', '0004-mail', '0005-activity', '0006-alerts'];

/** The product's way in as a role of its own, which owns nothing. */
async function asRole(database: TestDatabase, name: string): Promise<Kysely<Database>> {
  await database.query(`create role "${name}" login`);
  const connection = { ...database.connection, user: name };
  return openDatabase({ connection, applicationName: 'test' });
}

async function dropRole(database: TestDatabase, name: string): Promise<void> {
  await database.query(
    `reassign owned by "${name}" to current_user; drop owned by "${name}"; drop role "${name}"`,
  );
}

async function failureOf(
  promise: Promise<unknown>,
): Promise<Pick<TendError, 'code' | 'exitCode' | 'message'>> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TendError)) throw new Error(`Not refused as expected: ${String(error)}`);
  return error;
}

it('creates schema "tend" once and then finds nothing to do', async () => {
  await using database = await createTestDatabase({ empty: true });
  await using db = await database.openDatabase();
  expect((await findMigrations(db)).migrations).toEqual([
    { name: '0001-queue', appliedAt: null },
    { name: '0002-schedules', appliedAt: null },
    { name: '0003-backups', appliedAt: null },
    { name: '0004-mail', appliedAt: null },
    { name: '0005-activity', appliedAt: null },
    { name: '0006-alerts', appliedAt: null },
  ]);
  expect(await migrateUp({ db })).toEqual(all);
  expect(await migrateUp({ db })).toEqual([]);
  const { migrations, unknown } = await findMigrations(db);
  expect(unknown).toEqual([]);
  expect(migrations[0]?.appliedAt).toBeInstanceOf(Date);
  expect(await database.query('select schema_version from tend.meta')).toEqual([
    { schema_version: schemaVersion },
  ]);
});

it('two migrations at once over two connections: one applies, the others find nothing to do', async () => {
  await using database = await createTestDatabase({ empty: true });
  const connections = await Promise.all([1, 2, 3, 4].map(() => database.openDatabase()));
  try {
    const applied = await Promise.all(connections.map((db) => migrateUp({ db })));
    expect(applied.toSorted((a, b) => a.length - b.length)).toEqual([[], [], [], all]);
  } finally {
    await Promise.all(connections.map((db) => db.destroy()));
  }
  expect(await database.query('select count(*)::int as rows from tend.meta')).toEqual([{ rows: 1 }]);
});

it('two migrations at once in two processes: one applies, the other finds nothing to do', async () => {
  await using database = await createTestDatabase({ empty: true });
  const program = fileURLToPath(new URL('migrate-process.ts', import.meta.url));
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, CONNECTION: JSON.stringify(database.connection) };
  const runs = [1, 2].map(() => promisify(execFile)(process.execPath, [program], { env }));
  const applied = (await Promise.all(runs)).map(({ stdout }) => stdout.trim());
  expect(applied.toSorted()).toEqual([JSON.stringify(all), '[]']);
});

it('a migration waits for one that is under way, and then finds nothing to do', async () => {
  await using database = await createTestDatabase({ empty: true });
  await using first = await database.openDatabase('first migration');
  await using second = await database.openDatabase('second migration');
  const holder = await database.connect();
  await holder.query('begin; select pg_advisory_xact_lock(1952804452)');
  const both = Promise.all([migrateUp({ db: first }), migrateUp({ db: second })]);
  await expect
    .poll(() =>
      database.query(
        `select from pg_stat_activity where wait_event = 'advisory' and datname = current_database()`,
      ),
    )
    .toHaveLength(2);
  await holder.end();
  expect((await both).flat()).toEqual(all);
});

it('a schema newer than the program is refused with SCHEMA_TOO_NEW and exit code 78', async () => {
  await using database = await createTestDatabase();
  await using db = await database.openDatabase();
  await database.query(`insert into tend.migrations values ('0999-future')`);
  for (const attempt of [() => migrateUp({ db }), () => requireSchema(db)]) {
    const refused = await failureOf(attempt());
    expect(refused).toMatchObject({ code: 'SCHEMA_TOO_NEW', exitCode: 78 });
    expect(refused.message).toContain('0999-future');
  }
});

it('a database without the schema is refused with SCHEMA_MISSING and exit code 78', async () => {
  await using database = await createTestDatabase({ empty: true });
  await using db = await database.openDatabase();
  expect(await failureOf(requireSchema(db))).toMatchObject({ code: 'SCHEMA_MISSING', exitCode: 78 });
});

it('needs no right to create anything where nothing is pending', async () => {
  await using database = await createTestDatabase();
  {
    await using db = await asRole(database, `${database.name}_reader`);
    await database.query(
      `grant usage on schema tend to "${database.name}_reader"; grant select on tend.migrations to "${database.name}_reader"`,
    );
    expect(await migrateUp({ db })).toEqual([]);
  }
  await dropRole(database, `${database.name}_reader`);
});

it('an owner of the database who is no superuser can migrate it and work with it', async () => {
  await using database = await createTestDatabase({ empty: true });
  const owner = `${database.name}_owner`;
  {
    await using db = await asRole(database, owner);
    await database.query(`alter database ${database.name} owner to "${owner}"`);
    expect(await migrateUp({ db })).toEqual(all);
  }
  expect(await database.query('select system_identifier is not null as known from tend.meta')).toEqual([
    { known: true },
  ]);
  await dropRole(database, owner);
});

it('a role that owns an empty schema "tend" needs no right to create schemas', async () => {
  await using database = await createTestDatabase({ empty: true });
  const owner = `${database.name}_schema`;
  {
    await using db = await asRole(database, owner);
    await database.query(`create schema tend authorization "${owner}"`);
    expect(await migrateUp({ db })).toEqual(all);
  }
  await dropRole(database, owner);
});

it('a role that may not create is told so with exit code 77, and nothing is left behind', async () => {
  await using database = await createTestDatabase({ empty: true });
  const name = `${database.name}_guest`;
  {
    await using db = await asRole(database, name);
    const refused = await failureOf(migrateUp({ db }));
    expect(refused).toMatchObject({ code: 'DATABASE_PERMISSION', exitCode: 77 });
    expect(refused.message).toContain('permission denied for database');
  }
  expect(await database.query(`select from pg_namespace where nspname = 'tend'`)).toEqual([]);
  await dropRole(database, name);
});

it('a migration that fails in the middle leaves the database as it was', async () => {
  await using database = await createTestDatabase({ empty: true });
  await using db = await database.openDatabase();
  await database.query(`
    create schema tend;
    create table tend.backups (mine int)`);
  const failed = await failureOf(migrateUp({ db }));
  expect(failed).toMatchObject({ code: 'MIGRATION_FAILED' });
  expect(failed.message).toContain('"0001-queue"');
  expect(failed.message).toContain('relation "backups" already exists');
  const tables = await database.query(`select tablename from pg_tables where schemaname = 'tend'`);
  expect(tables).toEqual([{ tablename: 'backups' }]);
});

it.each([
  ['an empty search_path', `set search_path = ''`],
  ['a search_path that leads elsewhere first', `set search_path = elsewhere, pg_catalog`],
])('works with %s', async (_name, setting) => {
  await using database = await createTestDatabase({ empty: true });
  await database.query(`create schema elsewhere; create table elsewhere.tasks (id int)`);
  await database.query(`alter database ${database.name} ${setting}`);
  await using db = await database.openDatabase();
  expect(await migrateUp({ db })).toEqual(all);
  await requireSchema(db);
  expect(await database.query(`select tend.enqueue('noop') as id`)).toEqual([{ id: '1' }]);
});

it('works in a database whose name needs quotes', async () => {
  await using database = await createTestDatabase({ empty: true });
  const name = `${database.name} "Ünï-x"`;
  const quoted = `"${name.replaceAll('"', '""')}"`;
  await database.query(`create database ${quoted} template template0`);
  try {
    const connection = { ...database.connection, database: name };
    await using db = openDatabase({ connection, applicationName: 'test' });
    expect(await migrateUp({ db })).toEqual(all);
    expect(await db.selectFrom('tend.meta').select('database_name').execute()).toEqual([
      { database_name: name },
    ]);
  } finally {
    await database.query(`drop database ${quoted}`);
  }
});
