import { readdir } from 'node:fs/promises';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createTestDatabase } from './database.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { testRun } from './test-run.ts';

test('a test database answers over the unix socket and over TCP with the password', async () => {
  await using database = await createTestDatabase({ empty: true });
  const { host, port, user } = { host: '127.0.0.1', port: testRun().port, user: testRun().superuser };
  expect(await database.query('select current_database() as name')).toEqual([{ name: database.name }]);

  const client = new pg.Client({ host, port, user, password: testRun().password, database: database.name });
  await client.connect();
  const { rows } = await client.query('select inet_server_port() as port, current_user as user');
  await client.end();

  expect(rows).toEqual([{ port, user }]);
});

test('a test database is gone when it is disposed', async () => {
  const database = await createTestDatabase({ empty: true });
  await database[Symbol.asyncDispose]();
  await using other = await createTestDatabase({ empty: true });
  expect(await other.query('select from pg_database where datname = $1', [database.name])).toEqual([]);
});

test('a temporary directory is gone when it is disposed', async () => {
  {
    await using directory = await temporaryDirectory();
    expect(await readdir(directory.path)).toEqual([]);
  }
  expect(process.env.TMPDIR).toBe(testRun().temporaryDirectory);
});
