import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type ApplicationRole, createApplicationRole } from './support.ts';

let database: TestDatabase;
let application: ApplicationRole;

beforeAll(async () => {
  database = await createTestDatabase();
  application = await createApplicationRole(database);
});
afterAll(async () => {
  await application[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => void (await database.query('truncate tend.suppressions')));

async function suppress(...args: unknown[]): Promise<string> {
  const words = args.map((_, index) => `$${index + 1}`).join(', ');
  const [row] = await database.query<{ result: string }>(`select tend.suppress(${words}) as result`, args);
  return row?.result ?? '';
}

const rows = async () => await database.query('select address, reason, detail from tend.suppressions');

describe('tend.suppress', () => {
  it('keeps the address in lower case, once, with the reason and who said so', async () => {
    const client = await application.connect();
    await client.query(`select tend.suppress(' Ann@Example.ORG ', 'unsubscribe', 'by link')`);
    await client.end();
    expect(await suppress('ann@example.org', 'unsubscribe')).toBe('unchanged');
    expect(await database.query('select address, reason, detail, created_by from tend.suppressions')).toEqual(
      [
        {
          address: 'ann@example.org',
          reason: 'unsubscribe',
          detail: 'by link',
          created_by: application.name,
        },
      ],
    );
  });

  it('gives way to a stronger reason and not to a weaker one', async () => {
    const results = [];
    for (const reason of ['bounce', 'manual', 'bounce', 'complaint', 'unsubscribe'])
      results.push(await suppress('a@x.test', reason, reason));
    expect(results).toEqual(['added', 'changed', 'unchanged', 'changed', 'unchanged']);
    expect(await rows()).toEqual([{ address: 'a@x.test', reason: 'complaint', detail: 'complaint' }]);
  });

  it.each([
    [null],
    [''],
    ['ann'],
    ['Ann <ann@example.org>'],
    ['a@x.test b@x.test'],
    ['a@x\n.test'],
    ['a'.repeat(600)],
  ])('refuses %j', async (address) => {
    await expect(suppress(address)).rejects.toMatchObject({ code: '22023' });
  });

  it('refuses a reason that is none, and says which there are', async () => {
    await expect(suppress('a@x.test', 'whim')).rejects.toMatchObject({
      code: '22023',
      hint: 'bounce, manual, unsubscribe, complaint',
    });
  });
});

describe('tend.unsuppress', () => {
  it('lets an address have mail again, in whatever case it is written', async () => {
    await suppress('ann@example.org');
    const call = `select tend.unsuppress('ANN@example.org') as result`;
    expect(await database.query(call)).toEqual([{ result: true }]);
    expect(await database.query(call)).toEqual([{ result: false }]);
    expect(await rows()).toEqual([]);
  });
});
