import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/open-database.ts';
import type { Database } from '../../src/database/tables.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => await database[Symbol.asyncDispose]());

const open = () => openDatabase({ connection: database.connection, applicationName: 'prepares' });

/** Executes one statement so many times, each with another value. */
async function repeat(db: Kysely<Database>, times: number): Promise<number[]> {
  const values: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const { rows } = await sql<{ value: number }>`select ${n}::int + 1 as value`.execute(db);
    values.push(rows[0]?.value ?? 0);
  }
  return values;
}

async function preparedIn(db: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(db);
  return rows.map(({ statement }) => statement);
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

describe('statements of a session', () => {
  it('are prepared once they repeat themselves, and give the same', async () => {
    await using db = open();
    expect(await repeat(db, 3)).toEqual(upTo(3));
    expect(await preparedIn(db)).toEqual([]);
    expect(await repeat(db, 20)).toEqual(upTo(20));
    expect(await preparedIn(db)).toEqual(['select $1::int + 1 as value']);
  });

  it('are planned anew now and then, and leave one name each', async () => {
    await using db = open();
    expect(await repeat(db, 600)).toEqual(upTo(600));
    expect(await preparedIn(db)).toHaveLength(1);
    const { rows } = await sql<{ name: string }>`select name from pg_prepared_statements`.execute(db);
    expect(rows[0]?.name).toMatch(/^tend_[0-9a-f]{8}_3$/);
  });

  it('that were forgotten behind our back go on without names', async () => {
    await using db = open();
    await repeat(db, 10);
    await sql`deallocate all`.execute(db);
    expect(await repeat(db, 10)).toEqual(upTo(10));
    expect(await preparedIn(db)).toEqual([]);
  });

  it('whose table has changed see the change', async () => {
    await using db = open();
    await sql`create table changing (a int)`.execute(db);
    await sql`insert into changing values (1)`.execute(db);
    const read = async () => (await sql`select * from changing where a = ${1}`.execute(db)).rows;
    for (let n = 0; n < 10; n += 1) await read();
    await sql`alter table changing add column b int default 2`.execute(db);
    expect(await read()).toEqual([{ a: 1, b: 2 }]);
  });

  it('of a transaction are not, since a refused name would be the end of it', async () => {
    await using db = open();
    await db.transaction().execute(async (transaction) => {
      for (const n of upTo(10)) await sql`select ${n}::int`.execute(transaction);
    });
    expect(await preparedIn(db)).toEqual([]);
  });

  it('that fail fail as before, and the session is used on', async () => {
    await using db = open();
    const divide = async (by: number) => await sql`select 1 / ${by}::int as result`.execute(db);
    for (let n = 0; n < 10; n += 1) await divide(1);
    await expect(divide(0)).rejects.toMatchObject({ code: '22012' });
    expect((await divide(1)).rows).toEqual([{ result: 1 }]);
  });
});
