import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/open-database.ts';
import { requireOwnDatabase } from '../../src/database/require-own-database.ts';
import { beginTick } from '../../src/tasks/begin-tick.ts';
import { planTick } from '../../src/tasks/plan-tick.ts';
import { workerIdentity } from '../../src/tasks/worker-identity.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { runCli } from '../support/run-cli.ts';
import { tickDatabase } from '../support/tick-database.ts';

let original: TestDatabase;
let copy: string;

beforeAll(async () => {
  original = await createTestDatabase();
  copy = `${original.name}_clone`;
});
afterAll(async () => {
  await admin(`drop database if exists ${copy}`);
  await original[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await original.query('truncate tend.tasks, tend.hosts cascade');
  await original.query(
    `select tend.enqueue('noop'), tend.enqueue('noop', run_at => now() + interval '1 day')`,
  );
  await admin(`drop database if exists ${copy}`);
  await admin(`create database ${copy} template ${original.name}`);
});

async function run(database: string, sql: string): Promise<unknown[]> {
  const client: pg.Client = await original.connect({ database });
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
const admin = async (sql: string) => await run('postgres', sql);
const inCopy = async (sql: string) => await run(copy, sql);
const worker = workerIdentity('testhost');

function begin(database: string) {
  const db = openDatabase({ connection: { ...original.connection, database }, applicationName: 'test' });
  return {
    db,
    tick: async () =>
      await beginTick({ ...tickDatabase(db), worker, keepSucceededMs: 1e9, keepEndedMs: 1e9 }),
  };
}
const refusal = { code: 'DATABASE_IS_A_COPY', exitCode: 78 };

it('a tick in a clone is refused, says what differs and how to adopt it, and leaves no trace', async () => {
  const { db, tick } = begin(copy);
  await using _ = db;
  await expect(tick()).rejects.toMatchObject({
    ...refusal,
    message: expect.stringMatching(
      `"${copy}" is a copy: its queue is that of "${original.name}" \\(oid \\d+, here \\d+\\)`,
    ),
    hint: expect.stringContaining('tend doctor --adopt'),
  });
  await expect(requireOwnDatabase(db)).rejects.toMatchObject(refusal);
  await expect(planTick({ db, worker, kinds: [], limit: 1 })).rejects.toMatchObject(refusal);
  expect(await inCopy('select from tend.hosts')).toEqual([]);
});

it('the original ticks on, also when it is renamed by hand', async () => {
  const renamed = `${original.name}_renamed`;
  await admin(`alter database ${original.name} rename to ${renamed}`);
  try {
    const { db, tick } = begin(renamed);
    await using _ = db;
    expect(await tick()).toMatchObject({ isAnythingDue: true });
  } finally {
    await admin(`alter database ${renamed} rename to ${original.name}`);
  }
});

it('the same database files on another server are a copy; where that was not readable, the oid alone decides', async () => {
  const { db, tick } = begin(copy);
  await using _ = db;
  await inCopy('select tend.adopt()');
  await inCopy(`update tend.meta set system_identifier = '1'`);
  await expect(tick()).rejects.toMatchObject({
    ...refusal,
    message: expect.stringContaining('on another server'),
  });
  await inCopy('update tend.meta set system_identifier = null');
  await tick();
});

it('adopting holds what is unfinished, once, and then ticks run', async () => {
  expect(await inCopy('select tend.adopt()::int as held')).toEqual([{ held: 2 }]);
  expect(await inCopy('select distinct state, reason from tend.tasks')).toEqual([
    { state: 'held', reason: 'restored: adopted copy' },
  ]);
  expect(await inCopy('select epoch, database_name from tend.meta')).toEqual([
    { epoch: 2, database_name: copy },
  ]);
  await inCopy(`select tend.enqueue('noop')`);
  expect(await inCopy('select tend.adopt()::int as held')).toEqual([{ held: 0 }]);
  const { db, tick } = begin(copy);
  await using _ = db;
  expect(await tick()).toMatchObject({ isAnythingDue: true });
});

it.each([
  [['run-due-tasks'], 78],
  [['send-mail', '--to', 'a@example.org', '--subject', 'x', '--text', 'x'], 78],
  [['app', 'restart'], 78],
])('typed by hand in a clone: %j exits %i', async (args, exitCode) => {
  const url = original.url.replace(original.name, copy);
  const result = await runCli([...args, '--json'], {
    env: { TEND_DATABASE_URL: url, SMTP_URL: 'smtp://127.0.0.1:1' },
  });
  expect(result.exitCode).toBe(exitCode);
  expect(result.stdout).toContain('DATABASE_IS_A_COPY');
});
