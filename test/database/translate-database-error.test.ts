import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isConflict, repeatOnConflict } from '../../src/database/repeat-on-conflict.ts';
import { isConnectionLoss, translateDatabaseError } from '../../src/database/translate-database-error.ts';
import { TendError } from '../../src/errors.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.query(
    `create table public.orders (id int primary key); insert into public.orders values (4711)`,
  );
});
afterAll(async () => await database[Symbol.asyncDispose]());

async function errorOf(text: string): Promise<unknown> {
  return await database.query(text).then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('an error of the server', () => {
  it.each([
    ['select * from tend.nothing', 'SCHEMA_MISSING', 78],
    ['select * from nowhere.tasks', 'SCHEMA_MISSING', 78],
    [`set statement_timeout = 1; select pg_sleep(5)`, 'DATABASE_BUSY', 75],
    ['select 1 / 0', 'DATABASE_ERROR', 1],
    ['insert into public.orders values (4711)', 'DATABASE_ERROR', 1],
    ['select pg_terminate_backend(pg_backend_pid())', 'DATABASE_CONNECTION_LOST', 69],
  ] as const)('of "%s" is %s, exit code %d', async (text, code, exitCode) => {
    const error = await errorOf(text);
    expect(translateDatabaseError(error)).toMatchObject({ code, exitCode, cause: error });
  });

  it('does not carry what stands in a row', async () => {
    const translated = translateDatabaseError(await errorOf('insert into public.orders values (4711)'));
    expect(JSON.stringify([translated?.message, translated?.hint])).not.toContain('4711');
    expect(translated?.message).toContain('orders_pkey');
  });

  it('of a right that is missing is a permission', async () => {
    const error = await errorOf(`set session authorization pg_monitor; select * from tend.tasks`);
    expect(translateDatabaseError(error)).toMatchObject({
      ...{ code: 'DATABASE_PERMISSION', exitCode: 77 },
      hint: expect.stringContaining('the role that owns schema tend'),
    });
  });

  it('of a role that is missing says so, and how to make it', async () => {
    const error = await errorOf(`grant usage on schema tend to no_such_role`);
    expect(translateDatabaseError(error)).toMatchObject({
      ...{
        code: 'DATABASE_ERROR',
        exitCode: 1,
        message: expect.stringContaining('"no_such_role" does not exist'),
      },
      hint: expect.stringContaining('create role'),
    });
  });
});

describe('what is no error of the server', () => {
  it('is left to others', () => {
    const missingFile = Object.assign(new Error('ENOENT: open'), { code: 'ENOENT', path: '/x' });
    for (const other of [new Error('anything'), 'text', undefined, new TypeError('x'), missingFile]) {
      expect(translateDatabaseError(other)).toBeUndefined();
    }
    const own = new TendError('USAGE', 'so');
    expect(translateDatabaseError(own)).toBe(own);
  });
});

describe('isConnectionLoss', () => {
  it.each(['57P01', '57P02', '57P03', '08006', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'])(
    '%s: the same may be tried on a new session',
    (code) => {
      expect(isConnectionLoss(Object.assign(new Error('x'), { code }))).toBe(true);
    },
  );

  it('08P01: pgbouncer, if it is FATAL; a message that the server does not understand, if not', () => {
    const error = (severity: string) => Object.assign(new Error('x'), { code: '08P01', severity });
    expect([isConnectionLoss(error('FATAL')), isConnectionLoss(error('ERROR'))]).toEqual([true, false]);
  });

  it.each(['23505', '40P01', '57014', '42P01', 'EACCES'])('%s: it was the statement', (code) => {
    expect(isConnectionLoss(Object.assign(new Error('x'), { code }))).toBe(false);
  });

  it.each([
    'Connection terminated unexpectedly',
    'Query read timeout',
    'Client was closed and is not queryable',
    'Client has encountered a connection error and is not queryable',
  ])('node-postgres says "%s"', (message) => {
    expect(isConnectionLoss(new Error(message))).toBe(true);
  });
});

describe('repeatOnConflict', () => {
  const conflict = () => Object.assign(new pg.DatabaseError('lost a race', 1, 'error'), { code: '23505' });

  it('gives a statement again until it wins', async () => {
    const tries: number[] = [];
    const result = await repeatOnConflict(async (attempt) => {
      tries.push(attempt);
      if (attempt < 3) throw conflict();
      return 'won';
    });
    expect([result, tries]).toEqual(['won', [1, 2, 3]]);
  });

  it('gives up after its tries, and at once on any other error', async () => {
    let tries = 0;
    const failing = (error: Error) => async () => {
      tries += 1;
      throw error;
    };
    await expect(repeatOnConflict(failing(conflict()), 4)).rejects.toThrow('lost a race');
    expect(tries).toBe(4);
    await expect(repeatOnConflict(failing(new Error('other')), 4)).rejects.toThrow('other');
    expect(tries).toBe(5);
  });

  it.each([
    ['23505', true],
    ['40001', true],
    ['40P01', true],
    ['23503', false],
    ['57P01', false],
  ])('%s is a conflict: %s', (code, expected) => {
    expect(isConflict(Object.assign(new Error('x'), { code }))).toBe(expected);
  });
});
