import type { Kysely } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/database/tables.ts';
import { DeliveryStore } from '../../../src/mail/delivery/delivery-store.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let db: Kysely<Database>;

beforeAll(async () => {
  database = await createTestDatabase();
  db = await database.openDatabase();
});
afterAll(async () => {
  await db.destroy();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => void (await database.query('truncate tend.suppressions')));

const findSuppressed = async (addresses: readonly string[]) =>
  await new DeliveryStore(db).findSuppressed(addresses);

async function suppress(...addresses: string[]): Promise<void> {
  await database.query(`select tend.suppress(a, 'bounce') from unnest($1::text[]) a`, [addresses]);
}

describe('the suppressed among many addresses', () => {
  it('are found in whatever case, under the spelling they were asked for', async () => {
    await suppress('bob@example.org');
    const found = await findSuppressed(['Bob@example.org', 'ann@example.org']);
    expect(found).toEqual(new Map([['Bob@example.org', { reason: 'bounce' }]]));
  });

  it.each([
    ['bob@żółw.test', 'bob@xn--w-uga1v8h.test'],
    ['bob@xn--w-uga1v8h.test', 'bob@xn--w-uga1v8h.test'],
    ['żółw@żółw.test', 'żółw@żółw.test'],
    ['"a b"@x.test', '"a b"@x.test'],
    ['bob@[127.0.0.1]', 'bob@[127.0.0.1]'],
  ])('%s on the list is %s in an envelope', async (listed, address) => {
    await suppress(listed);
    expect([...(await findSuppressed([address])).keys()]).toEqual([address]);
  });

  it('are none where nobody is asked for', async () => {
    expect(await findSuppressed([])).toEqual(new Map());
  });

  it('are looked up by the key of the list, however long that is', async () => {
    await database.query(
      `insert into tend.suppressions (address, reason) select 'u' || n || '@x.test', 'bounce' from generate_series(1, 20000) n`,
    );
    await database.query('analyze tend.suppressions');
    const plan = await database.query(
      `explain select w.given, s.reason
         from unnest($1::text[], $2::text[]) w (given, key) join tend.suppressions s on s.address = lower(w.key)`,
      [['u7@x.test'], ['u7@x.test']],
    );
    expect(JSON.stringify(plan)).toContain('suppressions_pkey');
    const addresses = Array.from({ length: 1000 }, (_, n) => `u${n * 40}@x.test`);
    expect((await findSuppressed(addresses)).size).toBe(500);
  });
});
