import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectionSettings } from '../../src/connection/settings.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { isConnectionLoss } from '../../src/database/translate-database-error.ts';
import { TendError } from '../../src/errors.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startDatabaseProxy } from '../support/database-proxy.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => await database[Symbol.asyncDispose]());

const open = (
  applicationName: string,
  more: { connection?: ConnectionSettings; statementTimeoutMs?: number } = {},
) => openDatabase({ connection: database.connection, applicationName, ...more });

async function sessions(name: string): Promise<number> {
  return (await database.query('select from pg_stat_activity where application_name = $1', [name])).length;
}

async function pidOf(db: ReturnType<typeof open>): Promise<number> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
  return rows[0]?.pid ?? 0;
}

const failureOf = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('openDatabase', () => {
  it('connects at the first query, not before', async () => {
    await using db = open('lazy');
    expect(await sessions('lazy')).toBe(0);
    await pidOf(db);
    expect(await sessions('lazy')).toBe(1);
  });

  it('holds one session, however many queries are asked at once', async () => {
    await using db = open('one session');
    const pids = await Promise.all(Array.from({ length: 20 }, () => pidOf(db)));
    expect(new Set(pids).size).toBe(1);
    expect(await sessions('one session')).toBe(1);
  });

  it('closes the session when it is idle, and opens another one when it is needed', async () => {
    await using db = open('comes and goes');
    const first = await pidOf(db);
    await expect.poll(() => sessions('comes and goes')).toBe(0);
    expect(await pidOf(db)).not.toBe(first);
  });

  it('is closed with its scope, and takes no query afterwards', async () => {
    const db = open('scoped');
    await pidOf(db);
    await db.destroy();
    await expect.poll(() => sessions('scoped')).toBe(0);
    expect(String(await failureOf(pidOf(db)))).toMatch(/destroyed|ended/);
  });

  it('keeps one transaction on one session, while others wait for their turn', async () => {
    await using db = open('in turn');
    const order: string[] = [];
    const transaction = db.transaction().execute(async (trx) => {
      await sql`select pg_sleep(0.1)`.execute(trx);
      order.push('transaction');
    });
    const other = pidOf(db).then(() => order.push('other'));
    await Promise.all([transaction, other]);
    expect(order).toEqual(['transaction', 'other']);
  });

  it('sets limits on statements, locks and idle transactions', async () => {
    await using db = open('limited', { statementTimeoutMs: 12_000 });
    const { rows } = await sql<Record<string, string>>`
      select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
             current_setting('idle_in_transaction_session_timeout') as idle`.execute(db);
    expect(rows).toEqual([{ statement: '12s', lock: '10s', idle: '1min' }]);
  });

  it('goes on after a statement that failed, over the same session', async () => {
    await using db = open('unshaken');
    const first = await pidOf(db);
    expect(await failureOf(sql`select 1 / 0`.execute(db))).toMatchObject({ code: '22012' });
    expect(await pidOf(db)).toBe(first);
  });

  it('opens another session after one that was terminated between two statements', async () => {
    await using db = open('terminated');
    const first = await pidOf(db);
    await database.query('select pg_terminate_backend($1)', [first]);
    await expect.poll(() => sessions('terminated')).toBe(0);
    // The news may still be under way: then one statement learns it, and the next has a new session.
    const second = await pidOf(db).catch(() => pidOf(db));
    expect(second).not.toBe(first);
  });

  it('tells of a session that was terminated under a statement as a lost connection', async () => {
    await using db = open('cut down');
    const pid = await pidOf(db);
    const sleeping = failureOf(sql`select pg_sleep(30)`.execute(db));
    await expect
      .poll(() =>
        database.query(`select from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'`, [pid]),
      )
      .toHaveLength(1);
    await database.query('select pg_terminate_backend($1)', [pid]);
    expect(isConnectionLoss(await sleeping)).toBe(true);
    expect(await pidOf(db)).not.toBe(pid);
  });

  it('notices a half-open connection within the limit of a statement and five seconds', async () => {
    await using proxy = await startDatabaseProxy(database.connection);
    const db = open('half-open', { connection: proxy.connection, statementTimeoutMs: 100 });
    await pidOf(db);
    proxy.swallow();
    const error = await failureOf(pidOf(db));
    expect(isConnectionLoss(error)).toBe(true);
    await db.destroy();
  });

  it('survives that the connection breaks off while the server is asked whether it takes writes', async () => {
    await using proxy = await startDatabaseProxy(database.connection);
    const connection: ConnectionSettings = { ...proxy.connection, targetSessionAttrs: 'read-write' };
    await using db = open('asked', { connection });
    proxy.cut('before', 'pg_is_in_recovery');
    expect(await failureOf(pidOf(db))).toMatchObject({ code: 'DATABASE_UNREACHABLE', exitCode: 69 });
    expect(proxy.cuts).toBe(1);
    expect(await pidOf(db)).toBeGreaterThan(0);
  });

  it('is destroyed in bounded time although the server does not answer', async () => {
    await using proxy = await startDatabaseProxy(database.connection);
    const db = open('deaf', { connection: proxy.connection });
    await pidOf(db);
    proxy.swallow();
    await db.destroy();
  }, 10_000);

  it('of a server that is not there fails as unreachable, with exit code 69', async () => {
    const servers: ConnectionSettings['servers'] = [{ host: '/nonexistent', port: 1 }];
    await using db = open('nowhere', { connection: { ...database.connection, servers } });
    const error = await failureOf(pidOf(db));
    expect(error).toBeInstanceOf(TendError);
    expect(error).toMatchObject({ code: 'DATABASE_UNREACHABLE', exitCode: 69 });
  });

  it('of a database that is not there, or a user nobody knows, says so', async () => {
    await using nowhere = open('nowhere', { connection: { ...database.connection, database: 'not here' } });
    expect(await failureOf(pidOf(nowhere))).toMatchObject({ code: 'DATABASE_UNREACHABLE', exitCode: 69 });
    await using nobody = open('nobody', { connection: { ...database.connection, user: 'nobody here' } });
    expect(await failureOf(pidOf(nobody))).toMatchObject({ code: 'DATABASE_PERMISSION', exitCode: 77 });
  });

  it('cuts a long application name instead of failing', async () => {
    const name = 'x'.repeat(100);
    await using db = open(name);
    await pidOf(db);
    expect(await sessions(name.slice(0, 63))).toBe(1);
  });
});
