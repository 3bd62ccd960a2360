import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findPostgresProgram } from '../../../src/backups/tools/find-postgres-program.ts';
import { openDatabase } from '../../../src/database/open-database.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { takeBackup } from '../support/fixture.ts';

let database: TestDatabase;
let place: TemporaryDirectory;
const role = `"Globals ${process.pid}"`;
beforeAll(async () => {
  place = await temporaryDirectory();
  database = await createTestDatabase();
  await database.query(`
    create role ${role} login password 'canary-of-a-password' connection limit 3;
  `);
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await database.query(`drop role ${role}`).catch(() => undefined);
  await place[Symbol.asyncDispose]();
});

function globalsOf(path: string): string {
  return execFileSync('zstd', ['-dc', join(path, 'globals.sql.zst')], { encoding: 'utf8' });
}

test('a set has the roles without their passwords, also when an ordinary role takes it', async () => {
  const set = await takeBackup({ database, directory: place.path });
  const text = globalsOf(set.path);
  expect(text).toContain(`CREATE ROLE ${role}`);
  expect(text).toContain('CONNECTION LIMIT 3');
  expect(text).not.toMatch(/canary|SCRAM|PASSWORD/);

  const ordinary = `ordinary_${process.pid}`;
  await database.query(`create role ${ordinary} login; grant pg_read_all_data to ${ordinary}`);
  const connection = { ...database.connection, user: ordinary };
  const open = () => openDatabase({ connection, applicationName: 'tend backup test' });
  const byRole = { ...database, connection, openDatabase: async () => await Promise.resolve(open()) };
  const ordinarySet = await takeBackup({ database: byRole, directory: place.path });
  expect(globalsOf(ordinarySet.path)).toContain(`CREATE ROLE ${role}`);
  await database.query(`drop owned by ${ordinary}; drop role ${ordinary}`);
});

test('where pg_dumpall fails the set is made without them, and says so', async () => {
  const tools = join(place.path, 'tools');
  mkdirSync(tools);
  const [row] = await database.query<{ major: number }>(
    `select current_setting('server_version_num')::int / 10000 as major`,
  );
  const { path } = await findPostgresProgram({
    ...{ name: 'pg_dump', major: row?.major ?? 0, toolsDirectory: undefined, env: process.env },
    signal: new AbortController().signal,
  });
  symlinkSync(path, join(tools, 'pg_dump'));
  const script = `#!/bin/sh\n[ "$1" = --version ] && { echo "pg_dumpall (PostgreSQL) ${row?.major}.1"; exit; }\necho half; echo "pg_dumpall: error: permission denied for x" >&2; exit 1\n`;
  writeFileSync(join(tools, 'pg_dumpall'), script, { mode: 0o755 });
  const set = await takeBackup({ database, directory: place.path, config: { tools_directory: tools } });
  expect(set.manifest.parts.map(({ holds }) => holds)).toEqual(['database']);
  expect(set.manifest.notes).toEqual([expect.stringContaining('permission denied for x')]);
  expect(readdirSync(set.path).sort()).toEqual(['database.dump.zst', 'manifest.json']);
});
