import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json } from '../e2e/queue-site.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { runCli } from '../support/run-cli.ts';
import { testRun } from '../support/test-run.ts';

let database: TestDatabase;
let role: string;
const tend = (args: string[], url = database.url) => runCli(args, { env: { TEND_DATABASE_URL: url } });

beforeAll(async () => {
  database = await createTestDatabase({ empty: true });
  role = `app_${database.name}`;
  await database.query(`create role ${role} login`);
});
afterAll(async () => {
  await database.query(`drop owned by ${role}`);
  await database.query(`drop role ${role}`);
  await database[Symbol.asyncDispose]();
});

describe('a database without schema "tend"', () => {
  it('has everything pending: told by the table, and by exit code 4 where that is asked for', async () => {
    const { stdout, exitCode } = await tend(['migrations']);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    expect(exitCode).toBe(0);
    expect(rows[0]).toEqual(['MIGRATION', 'APPLIED']);
    expect(rows[1]).toEqual(['0001-queue', 'pending']);
    const asked = await tend(['migrations', '--exit-code', '--json']);
    expect(asked.exitCode).toBe(4);
    const { migrations, pending } = json(asked);
    expect(pending).toBe(rows.length - 1);
    expect(migrations).toContainEqual({ name: '0001-queue', appliedAt: null });
    expect(await database.query(`select from pg_namespace where nspname = 'tend'`)).toEqual([]);
  });

  it('is migrated by a role that may not create a schema only to an error: exit code 77', async () => {
    const result = await tend(
      ['migrations', 'up', '--json'],
      database.url.replace(testRun().superuser, role),
    );
    expect(result.exitCode).toBe(77);
    expect(json(result)).toMatchObject({ error: { code: 'DATABASE_PERMISSION' } });
    expect(await database.query(`select from pg_namespace where nspname = 'tend'`)).toEqual([]);
  });

  it('is migrated once by two at a time', async () => {
    const both = await Promise.all([
      tend(['migrations', 'up', '--json']),
      tend(['migrations', 'up', '--json']),
    ]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const applied = both.flatMap((result) => json(result)['applied']);
    expect(applied).toEqual(expect.arrayContaining(['0001-queue']));
    expect(new Set(applied).size).toBe(applied.length);
  });
});

describe('a migrated database', () => {
  it('has nothing pending, and nothing to apply', async () => {
    expect((await tend(['migrations', '--exit-code'])).exitCode).toBe(0);
    expect(json(await tend(['migrations', 'up', '--json']))).toEqual({ applied: [], grantedTo: [] });
    expect(await tend(['migrations', 'up'])).toMatchObject({ stdout: '', stderr: '' });
  });

  it('knows the kinds of this host at once, so that enqueue fills in their defaults', async () => {
    const rows = await database.query(
      `select kind, mutex from tend.kinds where kind in ('backup', 'noop') order by 1`,
    );
    expect(rows).toEqual([
      { kind: 'backup', mutex: 'db' },
      { kind: 'noop', mutex: null },
    ]);
  });

  it('gives a role the SQL API and nothing else with --grant-to', async () => {
    const result = await tend(['migrations', 'up', '--grant-to', role, '--json']);
    expect(json(result)).toEqual({ applied: [], grantedTo: [role] });
    const app = await database.connect({ user: role });
    const enqueued = await app.query(`select tend.enqueue('noop') as id`);
    expect(enqueued.rows).toHaveLength(1);
    for (const table of ['tasks', 'attempts', 'kinds', 'hosts', 'meta']) {
      await expect(app.query(`select * from tend.${table}`)).rejects.toMatchObject({ code: '42501' });
    }
    await app.end();
  });

  it('does not grant to a role that does not exist, and says so', async () => {
    const result = await tend(['migrations', 'up', '--grant-to', 'no_such_role', '--json']);
    expect(result.exitCode).not.toBe(0);
    expect(result.exitCode).not.toBe(70);
    expect(json(result)).toMatchObject({ error: { message: expect.stringContaining('no_such_role') } });
  });

  it('that is newer than this program is left alone: exit codes 4 and 78', async () => {
    await database.query(`insert into tend.migrations (name) values ('9999-future')`);
    const shown = await tend(['migrations', '--exit-code', '--json']);
    expect(shown.exitCode).toBe(4);
    expect(json(shown)).toMatchObject({ pending: 0, unknown: ['9999-future'] });
    const up = await tend(['migrations', 'up', '--json']);
    expect(up.exitCode).toBe(78);
    expect(json(up)).toMatchObject({ error: { code: 'SCHEMA_TOO_NEW' } });
    await database.query(`delete from tend.migrations where name = '9999-future'`);
  });
});
