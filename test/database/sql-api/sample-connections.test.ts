import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => await database[Symbol.asyncDispose]());
beforeEach(async () => {
  await database.query('truncate tend.connection_samples');
});

const sample = async (): Promise<boolean | undefined> =>
  (await database.query<{ is: boolean }>('select tend.sample_connections() as is'))[0]?.is;
const samples = async () => await database.query('select * from tend.connection_samples order by sampled_at');

it('counts the sessions of the whole server by name and state, a session without a name by its user', async () => {
  const named = await database.connect({ application_name: 'sample_named' });
  const nameless = await database.connect({ application_name: '' });
  try {
    await named.query('begin; select 1');
    expect(await sample()).toBe(true);
    const [row] = await samples();
    expect(row).toMatchObject({ by_application: { sample_named: 1 } });
    expect(Object.keys(row?.by_application)).toContainEqual(expect.stringMatching(/^user /));
    expect(row?.idle_in_transaction).toBeGreaterThanOrEqual(1);
    expect(row?.total).toBeGreaterThanOrEqual(row?.active + row?.idle + row?.idle_in_transaction);
    expect(row?.max_connections).toBeGreaterThan(0);
  } finally {
    await named.end();
    await nameless.end();
  }
});

it('writes one row a minute, however many ask at once', async () => {
  // Of two that straddle a minute each is right to write one.
  const minute = `insert into tend.connection_samples values (date_trunc('minute', now() + interval '1 minute'), 0, 0, 0, 0, '{}', 1)`;
  await Promise.all([sample(), sample(), sample()]);
  expect((await samples()).length).toBeLessThanOrEqual(2);
  await database.query(`truncate tend.connection_samples; ${minute}`);
  expect(await sample()).toBe(false);
  expect(await samples()).toHaveLength(1);
});

it('forgets what is older than 14 days', async () => {
  await database.query(`insert into tend.connection_samples
    select now() - make_interval(days => d), 1, 0, 1, 0, '{}', 100 from unnest(array[13, 15]) d`);
  await sample();
  expect(await samples()).toHaveLength(2);
});

it('counts also as a role that may not see what others do', async () => {
  await database.query(
    'create role sampler login; grant usage on schema tend to sampler; grant insert, select, delete on tend.connection_samples to sampler; grant execute on function tend.sample_connections() to sampler',
  );
  const other = await database.connect({ application_name: 'sample_hidden' });
  const client = await database.connect({ user: 'sampler' });
  try {
    await client.query('select tend.sample_connections()');
    expect(await samples()).toMatchObject([{ by_application: { sample_hidden: 1 } }]);
  } finally {
    await client.end();
    await other.end();
    await database.query('drop owned by sampler; drop role sampler');
  }
});
