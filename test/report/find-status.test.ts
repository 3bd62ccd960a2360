import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findStatus } from '../../src/report/find-status.ts';
import { beginTick } from '../../src/tasks/begin-tick.ts';
import { finishAttempts } from '../../src/tasks/finish-attempts.ts';
import { recordBusyTick } from '../../src/tasks/record-tick.ts';
import { registerKinds } from '../../src/tasks/register-kinds.ts';
import { tickDatabase } from '../support/tick-database.ts';
import {
  createQueue,
  ending,
  fakeKinds,
  host,
  otherWorker,
  type Queue,
  succeed,
} from '../tasks/support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => {
  await queue.clear();
  await query('truncate tend.schedules, tend.pauses');
  await registerKinds({ db: queue.db, kinds: fakeKinds({ noop: succeed }) });
  await beginTick({
    ...tickDatabase(queue.db),
    worker: queue.worker,
    keepSucceededMs: 1e9,
    keepEndedMs: 1e9,
  });
});
const query = async (sql: string, params: unknown[] = []) => await queue.database.query(sql, params);
const status = async () => await findStatus(queue.db);

it('is well where nothing is wrong, and says whose database it is', async () => {
  expect(await status()).toMatchObject({
    ...{ database: queue.database.name, copiedFrom: null, isOk: true, problems: [] },
    tasks: { due: 0, running: 0, held: 0, failedLastDay: 0, missedLastDay: 0, oldestDueAt: null },
    ...{ schedules: [], pauses: [] },
  });
});

describe('hosts', () => {
  it('each with its last tick, what that did, and what runs there now', async () => {
    await recordBusyTick({ db: queue.db, host, outcome: '3 succeeded' });
    await queue.enqueue('noop');
    await queue.enqueue('noop');
    await queue.claim({ count: 2 });
    const [row, ...others] = (await status()).hosts;
    expect(others).toEqual([]);
    expect(row).toMatchObject({ host, ticks: 1, lastOutcome: '3 succeeded', running: 2 });
    expect(row?.lastTickAt).toBeInstanceOf(Date);
    expect(row?.lastTickAgeMs).toBeGreaterThanOrEqual(0);
    expect(row?.lastBusyAt).toBeInstanceOf(Date);
  });

  it('also one that only runs what a person typed there', async () => {
    await queue.enqueue('noop');
    await queue.claim({ worker: otherWorker('laptop') });
    expect((await status()).hosts).toMatchObject([
      { host: 'laptop', lastTickAt: null, lastTickAgeMs: null, ticks: 0, running: 1 },
      { host, running: 0 },
    ]);
  });
});

describe('tasks', () => {
  it('counted by what matters now, with the age of the oldest that is due', async () => {
    const oldest = await queue.enqueue('noop');
    await query(`update tend.tasks set run_at = now() - interval '10 minutes' where id = $1`, [oldest]);
    await queue.enqueue('noop');
    await queue.enqueue('noop', { run_at: '2099-01-01' });
    for (const state of ['held', 'failed'] as const) {
      const [claimed] = await (await queue.enqueue('other'), queue.claim({ kinds: ['other'] }));
      if (claimed === undefined) throw new Error('nothing was claimed');
      const how = ending({ outcome: 'failed', state, reason: 'r' });
      await finishAttempts({ db: queue.db, endings: [{ task: claimed, ending: how }] });
    }
    await query(`insert into tend.tasks (kind, state, reason, finished_at) values
      ('noop', 'missed', 'missed: 9 h late', now()), ('noop', 'missed', 'skipped: task 1 is still running', now())`);
    const { tasks } = await status();
    expect(tasks).toMatchObject({ due: 2, running: 0, held: 1, failedLastDay: 1, missedLastDay: 1 });
    expect(tasks.oldestDueAgeMs).toBeGreaterThanOrEqual(600_000);
    expect(tasks.oldestDueAgeMs).toBeLessThan(1_200_000);
  });
});

describe('schedules', () => {
  it('each with its next and last occurrence, and what is wrong with it', async () => {
    await query(`insert into tend.schedules (name, source, declared_by, cron, kind, next_slot, last_slot) values
      ('a', 'config', '{web1}', '0 4 * * *', 'noop', '2099-01-01', '2026-01-01')`);
    await query(`insert into tend.schedules (name, source, cron, kind, next_slot, problem) values
      ('b', 'sql', '61 4 * * *', 'noop', 'infinity', 'minute 61')`);
    await query(`insert into tend.schedules (name, source, cron, kind, enabled, disabled_reason) values
      ('c', 'sql', '0 4 * * *', 'noop', false, 'noisy')`);
    await query(`insert into tend.tasks (kind, state, finished_at, schedule, slot_at) values
      ('noop', 'succeeded', now(), 'a', '2026-01-01'), ('noop', 'succeeded', now(), 'a', '2025-12-31')`);
    const { schedules, isOk, problems } = await status();
    expect(schedules).toMatchObject([
      {
        ...{ name: 'a', source: 'config', declaredBy: ['web1'], isEnabled: true, isLate: false },
        ...{ nextSlot: new Date('2099-01-01T00:00:00Z'), lastTask: 1, lastState: 'succeeded', problem: null },
      },
      { name: 'b', nextSlot: null, lastTask: null, problem: 'minute 61' },
      { name: 'c', isEnabled: false, disabledReason: 'noisy', nextSlot: null },
    ]);
    expect({ isOk, problems }).toEqual({ isOk: false, problems: ['b cannot be planned: minute 61'] });
  });
});

it('pauses, with what would run if it were not for them', async () => {
  await query(
    `insert into tend.pauses (scope, name, reason) values ('queue', 'media', 'disk full'), ('kind', 'noop', null)`,
  );
  await queue.enqueue('noop', { queue: 'media' });
  await queue.enqueue('noop');
  expect((await status()).pauses).toMatchObject([
    { scope: 'kind', name: 'noop', reason: null, due: 2 },
    { scope: 'queue', name: 'media', reason: 'disk full', due: 1, pausedAt: expect.any(Date) },
  ]);
});

it('in a copy, that it is one is the first problem', async () => {
  await query('update tend.meta set database_oid = database_oid::bigint + 1');
  try {
    await queue.enqueue('stranger');
    const { isOk, problems, copiedFrom } = await status();
    expect(isOk).toBe(false);
    expect(problems).toEqual([
      expect.stringMatching(/^the database is a copy: .* \(tend doctor --adopt\)$/),
      '1 due of a kind nobody knows',
    ]);
    expect(copiedFrom).toContain(queue.database.name);
  } finally {
    await query('update tend.meta set database_oid = database_oid::bigint - 1');
  }
});
