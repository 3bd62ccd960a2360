import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { runCli } from '../support/run-cli.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => await database[Symbol.asyncDispose]());

async function suppressions(...args: string[]) {
  const ran = await runCli(['send-mail', 'suppressions', ...args], { env: database.env });
  return { ...ran, json: args.includes('--json') ? JSON.parse(ran.stdout) : undefined };
}

describe('tend send-mail suppressions', () => {
  it('adds addresses, lists them newest first and takes them off again', async () => {
    const added = await suppressions('add', 'Bob@x.test', '--reason', 'complaint', '--detail', 'd', '--json');
    expect(added).toMatchObject({
      exitCode: 0,
      json: { addresses: [{ address: 'Bob@x.test', result: 'added' }] },
    });
    expect(await suppressions('add', 'ann@x.test')).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    const { json } = await suppressions('--json');
    expect(json).toMatchObject({
      isCut: false,
      suppressions: [
        { address: 'ann@x.test', reason: 'manual', detail: null },
        { address: 'bob@x.test', reason: 'complaint', detail: 'd', createdBy: expect.any(String) },
      ],
    });
    expect((await suppressions('--reason', 'complaint')).stdout).toMatch(/^ADDRESS\t.*\nbob@x\.test\t.*\n$/);
    const removed = await suppressions('remove', 'bob@X.test', 'nobody@x.test', '--json');
    expect(removed.json.addresses.map(({ result }: { result: string }) => result)).toEqual([
      'removed',
      'unchanged',
    ]);
  });

  it('refuses what is no address: 65 alone, and 3 among others', async () => {
    expect(await suppressions('add', 'nobody', '--json')).toMatchObject({
      exitCode: 65,
      json: { error: { code: 'MAIL_ADDRESS_INVALID' } },
    });
    const { exitCode, json } = await suppressions('add', 'nobody', 'eve@x.test', '--json');
    expect([exitCode, json.addresses]).toEqual([
      3,
      [
        { address: 'nobody', result: 'refused', error: expect.any(String) },
        { address: 'eve@x.test', result: 'added' },
      ],
    ]);
  });
});
