import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { BackupSet } from '../../../src/backups/sets/backup-directory.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { dropCompanions, restore, takeBackup } from '../support/fixture.ts';
import { portrait } from '../support/portrait.ts';
import { id, richDatabaseSql, richPropertiesSql, richRoles, richRolesSql } from '../support/rich-database.ts';

let place: TemporaryDirectory;
let database: TestDatabase;
let set: BackupSet;
let before: Record<string, unknown>;

beforeAll(async () => {
  place = await temporaryDirectory();
  database = await createTestDatabase();
  const roles = richRoles(database.name);
  await database.query(richRolesSql(roles));
  await database.query(richDatabaseSql(roles));
  for (const statement of richPropertiesSql(database.name, roles)) await database.query(statement);
  before = await portrait(database, database.name);
  set = await takeBackup({ database, directory: place.path });
});
afterEach(async () => await dropCompanions(database));
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  const run = await createTestDatabase({ empty: true });
  for (const role of Object.values(richRoles(database.name))) {
    await run.query(`drop owned by ${id(role)}; drop role ${id(role)}`);
  }
  await run[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

test('beside the live one it is the same, down to settings, privileges and comment of the database', async () => {
  const into = `${database.name} "copy"`;
  await restore({ database, set, into });
  expect(await portrait(database, into)).toEqual(before);
  const client = await database.connect({ database: into });
  const { rows } = await client.query(
    `select tablename as name, inherited from pg_stats where tablename in ('log', 'log_2025_a') and attname = 'n' order by 1`,
  );
  await client.end();
  expect(rows).toEqual([
    { name: 'log', inherited: true },
    { name: 'log_2025_a', inherited: false },
  ]);
});

test('loaded by one worker, where there is no space to unpack, it is the same too', async () => {
  const into = `${database.name}_copy`;
  const warnings: string[] = [];
  const log = { debug() {}, info() {}, warn: (line: string) => void warnings.push(line) };
  await restore({ database, set, into, workDirectory: '/nowhere', log });
  expect(warnings).toEqual([expect.stringMatching(/^The dump is loaded by one worker: .*\/nowhere/)]);
  expect(await portrait(database, into)).toEqual(before);
});

test('in place of the live one it is the same', async () => {
  const roles = richRoles(database.name);
  await database.query(
    `drop schema shop cascade; create schema shop; alter database ${id(database.name)} owner to ${id(roles.owner)}`,
  );
  await restore({ database, set });
  expect(await portrait(database, database.name)).toEqual(before);
});

test('in the place of one that was lost it is the same', async () => {
  const other = await createTestDatabase({ empty: true });
  await other.query(`drop database ${id(database.name)} with (force)`);
  await other[Symbol.asyncDispose]();
  await restore({ database, set });
  expect(await portrait(database, database.name)).toEqual(before);
});
