import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { findHistory } from '../../../src/report/history/find-history.ts';
import { createQueue, type Queue } from '../../tasks/support/queue.ts';

let queue: Queue;
beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => {
  await queue.clear();
  await query('truncate tend.deliveries, tend.backups');
});
const query = async (sql: string) => await queue.database.query(sql);
const history = async () => await findHistory(queue.db);

it('has fourteen days up to today, also where nothing happened', async () => {
  const { outcomes, mail, durations, backups, occurrences } = await history();
  const days = outcomes.map(({ day }) => day);
  expect(days).toHaveLength(14);
  expect(days).toEqual(days.toSorted());
  expect(mail.map(({ day }) => day)).toEqual(days);
  expect(outcomes[13]).toEqual({ day: days[13], succeeded: 0, failed: 0, missed: 0, cancelled: 0 });
  expect({ durations, backups, occurrences }).toEqual({ durations: [], backups: [], occurrences: [] });
});

it('counts tasks on the day of UTC on which they ended', async () => {
  await query(`insert into tend.tasks (kind, state, finished_at, created_at)
    select 'noop', state, (date_trunc('day', now() at time zone 'UTC') - age) at time zone 'UTC', now() - interval '99 d'
      from (values ('succeeded', interval '0'), ('succeeded', '1 microsecond'), ('failed', '1 day'),
                   ('cancelled', '13 d'), ('missed', '13 d 1 microsecond')) v (state, age)`);
  const { outcomes } = await history();
  expect(outcomes[13]).toMatchObject({ succeeded: 1, failed: 0 });
  expect(outcomes[12]).toMatchObject({ succeeded: 1, failed: 1 });
  expect(outcomes[0]).toMatchObject({ cancelled: 1, missed: 0 });
});

it('has median and longest of the four kinds that took most time, and no day without an attempt', async () => {
  await query(`with made as (
      insert into tend.tasks (kind, state, finished_at)
      select kind, 'succeeded', now() from unnest('{a,b,c,d,e}'::text[]) kind returning id, kind)
    insert into tend.attempts (task_id, token, attempt, owner, started_at, finished_at, outcome)
    select id, gen_random_uuid(), n, 'web1:1:x:y', now(), now() + n * interval '1 s' * (ascii('z') - ascii(kind)), 'succeeded'
      from made, unnest('{1,2,9}'::int[]) n`);
  const { durations } = await history();
  expect(durations.map(({ kind, attempts }) => [kind, attempts])).toEqual([
    ...[
      ['a', 3],
      ['b', 3],
      ['c', 3],
      ['d', 3],
    ],
  ]);
  const days = durations[0]?.days ?? [];
  expect(days).toHaveLength(14);
  expect(days[13]).toMatchObject({ medianMs: 50_000, longestMs: 225_000 });
  expect(days[12]).toMatchObject({ medianMs: null, longestMs: null });
});

it('has samples of connections only where the database keeps them', async () => {
  await query('alter table if exists tend.connection_samples rename to other_samples');
  expect((await history()).connections).toBeUndefined();
  await query(
    'create table tend.connection_samples (sampled_at timestamptz, total int, idle_in_transaction int)',
  );
  await query(`insert into tend.connection_samples values (now(), 20, 3), (now(), 31, 1),
    (now() - interval '2 days', 99, 99)`);
  const { connections = [] } = await history();
  expect(connections).toHaveLength(48);
  expect(connections[47]).toMatchObject({ total: 31, idleInTransaction: 3 });
  expect(connections[0]).toMatchObject({ total: null, idleInTransaction: null });
});
