import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdRestoredTasks } from '../../../src/backups/cut-over/queue-schema.ts';
import * as queueMigration from '../../../src/database/migrations/0001-queue.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { dropCompanions, restore, takeBackup } from '../support/fixture.ts';

let place: TemporaryDirectory;
let database: TestDatabase;

beforeEach(async () => {
  place = await temporaryDirectory();
  database = await createTestDatabase();
});
afterEach(async () => {
  await dropCompanions(database);
  await database[Symbol.asyncDispose]();
  await place[Symbol.asyncDispose]();
});

async function queryIn(name: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = await database.connect({ database: name });
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** A queue in the middle of its work: a task that runs, one that waits, schedules that are late. */
const busyQueue = `
  select tend.enqueue('waits'), tend.enqueue('runs');
  update tend.tasks set state = 'running', attempt = 1, started_at = now(), lease_owner = 'web1:1:k:1:r',
         lease_token = gen_random_uuid(), lease_until = now() + interval '1 hour' where kind = 'runs';
  insert into tend.schedules (name, source, declared_by, cron, kind, catch_up, next_slot, defined_at) values
    ('ours', 'sql', '{}', '0 4 * * *', 'noop', 'all', now() - interval '9 days', now() - interval '99 days'),
    ('declared', 'config', '{web1}', '0 4 * * *', 'noop', 'all', now() - interval '9 days', now() - interval '99 days');
  insert into tend.app_health (host, failures, is_reported) values ('web1', 7, true);
  insert into tend.alerts (kind, last_task_id, failures) values ('waits', 1, 7)`;

const restored = `
  select (select jsonb_object_agg(kind, state || ': ' || reason) from tend.tasks) as tasks,
         (select jsonb_agg(outcome || ': ' || error) from tend.attempts) as attempts,
         (select bool_and(next_slot = '-infinity' and defined_at > now() - interval '1 hour' and enabled)
            from tend.schedules) as "areFresh",
         (select count(*)::int from tend.schedules) as schedules,
         (select count(*)::int from tend.app_health) as apps, (select count(*)::int from tend.alerts) as alerts, tend.copied_from() is null as "isOwn"`;

function asRestored(id: string, isOwn: boolean): object {
  return {
    tasks: {
      waits: `held: restored from backup ${id}`,
      runs: `held: restored from backup ${id}, taken in the middle of an attempt`,
    },
    attempts: [`unknown: backup ${id} was taken in the middle of it`],
    ...{ areFresh: true, schedules: 2, apps: 0, alerts: 0, isOwn },
  };
}

describe('the queue in a backup', () => {
  it('restored elsewhere holds its tasks, and its schedules have nothing to make up for', async () => {
    await database.query(busyQueue);
    const set = await takeBackup({ database, directory: place.path });
    const into = `${database.name}_copy`;
    expect(await restore({ database, set, into })).toMatchObject({ heldTasks: 2 });
    expect(await queryIn(into, restored)).toEqual([asRestored(set.id, false)]);
  });

  it('that comes back under the name of a lost database does the same, and is its own', async () => {
    await database.query(busyQueue);
    const set = await takeBackup({ database, directory: place.path });
    await queryIn('postgres', `drop database "${database.name}"`);
    expect(await restore({ database, set })).toMatchObject({ heldTasks: 2 });
    expect(await database.query(restored)).toEqual([asRestored(set.id, true)]);
  });

  it('of the first version, which knows no schedules, can be restored', async () => {
    await using old = await createTestDatabase({ empty: true });
    await using db = await old.openDatabase();
    await old.query('create schema tend');
    await queueMigration.up(db);
    await old.query(`insert into tend.tasks (kind) values ('waits')`);
    expect(await holdRestoredTasks(db, { id: 'b', taskId: null })).toBe(1);
  });
});

it('in place, schedules, pauses, alerts and the health of the application go over as they are live', async () => {
  await database.query(busyQueue);
  const set = await takeBackup({ database, directory: place.path });
  await database.query(`
    delete from tend.schedules where name = 'declared';
    update tend.schedules set enabled = false, disabled_reason = 'noisy', next_slot = now() + interval '1 hour',
           last_slot = now();
    insert into tend.pauses (scope, name, reason) values ('kind', 'waits', 'disk full');
    update tend.app_health set failures = 1, is_reported = false;
    update tend.alerts set failures = 9, last_mailed_at = now();
    update tend.kinds set max_running = 3`);
  const live = `select (select jsonb_agg(s) from tend.schedules s) as schedules, (select jsonb_agg(p) from tend.pauses p) as pauses,
    (select jsonb_agg(a) from tend.app_health a) as apps, (select jsonb_agg(a) from tend.alerts a) as alerts, (select jsonb_agg(t order by id) from tend.tasks t) as tasks,
    (select jsonb_agg(k order by kind) from tend.kinds k) as kinds`;
  const before = await database.query(live);
  await restore({ database, set });
  expect(await database.query(live)).toEqual(before);
  expect(await database.query('select tend.copied_from() is null as "isOwn"')).toEqual([{ isOwn: true }]);
});
