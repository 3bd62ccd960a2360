import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeOccurrences } from '../../src/schedules/write-occurrences.ts';
import { recordingLog } from '../tasks/support/queue.ts';
import { createScheduleQueue, type ScheduleQueue } from './support/schedule-queue.ts';

let queue: ScheduleQueue;
beforeAll(async () => {
  queue = await createScheduleQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

/** A per-minute schedule whose last `minutes` occurrences nobody has dealt with. */
async function overdue(minutes: number, options: object = {}): Promise<void> {
  await queue.declare({ minutely: { cron: '* * * * *', kind: 'noop', ...options } });
  await queue.plan();
  await queue.rewind('minutely', minutes);
}

async function states(): Promise<string[]> {
  const found = await queue.occurrences('minutely');
  return found.map(({ slot, state, reason }) => `${slot} ${reason?.split(':')[0] ?? state}`);
}

describe('a new schedule', () => {
  it('is not back-filled: its first occurrence is the next one', async () => {
    await queue.declare({ minutely: { cron: '* * * * *', kind: 'noop', catch_up: 'all' } });
    expect(await queue.plan()).toEqual({ enqueued: 0, skipped: 0, superseded: 0, missed: 0 });
    expect(await queue.occurrences('minutely')).toEqual([]);
    const { next_slot, defined_at } = await queue.schedule('minutely');
    expect(next_slot).toBeInstanceOf(Date);
    const ahead = Number(next_slot) - Number(defined_at);
    expect(ahead).toBeGreaterThan(0);
    expect(ahead).toBeLessThanOrEqual(60_000);
  });

  it('has the occurrences that came between its definition and the first tick', async () => {
    await queue.declare({ minutely: { cron: '* * * * *', kind: 'noop', catch_up: 'all' } });
    await queue.rewind('minutely', 0);
    await queue.database.query(
      `update tend.schedules set next_slot = '-infinity', defined_at = next_slot - interval '90 s'`,
    );
    await queue.materialise();
    expect(await states()).toEqual(['-1 waiting', '0 waiting']);
  });
});

describe('an occurrence that is due', () => {
  it('becomes a task of the kind with payload, queue, priority, slot and the defaults of the kind', async () => {
    await queue.database.query(
      `insert into tend.kinds (kind, source, max_attempts, on_lost, mutex) values ('backup', 'built-in', 3, 'hold', 'db')`,
    );
    await queue.declare({
      nightly: { cron: '* * * * *', kind: 'backup', payload: { label: 'x' }, queue: 'slow', priority: 7 },
    });
    await queue.plan();
    const slot = await queue.rewind('nightly', 0);
    expect(await queue.materialise()).toMatchObject({ enqueued: 1 });
    const [{ id } = { id: 0 }] = await queue.occurrences('nightly');
    expect(await queue.task(id)).toMatchObject({
      ...{ kind: 'backup', payload: { label: 'x' }, queue: 'slow', priority: 7, state: 'waiting' },
      ...{ max_attempts: 3, on_lost: 'hold', mutex: 'db', run_at: slot, slot_at: slot, schedule: 'nightly' },
    });
  });

  it('without a mutex of its kind shares one with the other occurrences of its schedule', async () => {
    await overdue(2, { catch_up: 'all' });
    await queue.materialise();
    expect(await queue.claim({ count: 10 })).toHaveLength(1);
    expect(await queue.claim({ count: 10 })).toEqual([]);
  });

  it('is enqueued once, however many ticks look at the same time', async () => {
    await overdue(40, { catch_up: 'all' });
    const handles = await Promise.all([1, 2, 3, 4].map(() => queue.database.openDatabase()));
    const { materialiseOccurrences } = await import('../../src/schedules/materialise-occurrences.ts');
    const log = recordingLog();
    const now = await queue.now();
    try {
      const all = await Promise.all(
        handles.map(async (db) => await materialiseOccurrences({ db, now, log })),
      );
      expect(all.reduce((sum, { enqueued }) => sum + enqueued, 0)).toBe(41);
    } finally {
      await Promise.all(handles.map((db) => db.destroy()));
    }
    expect(log.warnings).toEqual([]);
    expect(await states()).toHaveLength(41);
  });

  it('is not enqueued again when the schedule is moved back by hand: the slot is taken', async () => {
    await overdue(3, { catch_up: 'all' });
    await queue.materialise();
    await queue.rewind('minutely', 3);
    expect(await queue.materialise()).toMatchObject({ enqueued: 0, missed: 0 });
    expect(await states()).toHaveLength(4);
  });

  it('is not enqueued by a tick that read the schedule before it was moved on, also when the rows are pruned', async () => {
    await overdue(0);
    const { findDueSchedules } = await import('../../src/schedules/find-due-schedules.ts');
    const [schedule] = await findDueSchedules({ db: queue.db, limit: 10 });
    if (schedule === undefined) throw new Error('not due');
    await queue.materialise();
    await queue.database.query('delete from tend.tasks');
    const plan = {
      occurrences: [{ slotAt: schedule.nextSlot ?? new Date(), reason: null }],
      nextSlot: new Date(),
    };
    expect(await writeOccurrences({ db: queue.db, schedules: [{ schedule, plan }] })).toEqual([]);
    expect(await states()).toEqual([]);
  });

  it('is left alone while the clock stands before it, as after a step back', async () => {
    await overdue(0);
    await queue.materialise();
    expect(await queue.materialise()).toMatchObject({ enqueued: 0 });
    const { materialiseOccurrences } = await import('../../src/schedules/materialise-occurrences.ts');
    const { silentLog } = await import('../../src/log.ts');
    const now = new Date(Date.now() - 3_600_000);
    expect(await materialiseOccurrences({ db: queue.db, now, log: silentLog })).toMatchObject({
      enqueued: 0,
    });
    expect(await states()).toHaveLength(1);
  });
});

describe('after a time without ticks', () => {
  it('catch_up = latest runs the newest and records the others as superseded', async () => {
    await overdue(3);
    expect(await queue.materialise()).toEqual({ enqueued: 1, skipped: 0, superseded: 3, missed: 0 });
    expect(await states()).toEqual(['-3 superseded', '-2 superseded', '-1 superseded', '0 waiting']);
  });

  it('catch_up = all runs every one', async () => {
    await overdue(3, { catch_up: 'all' });
    expect(await queue.materialise()).toMatchObject({ enqueued: 4 });
    expect(await states()).toEqual(['-3 waiting', '-2 waiting', '-1 waiting', '0 waiting']);
  });

  it('catch_up = none runs what has just come and records the others as missed', async () => {
    await overdue(5, { catch_up: 'none' });
    const log = recordingLog();
    expect(await queue.materialise(log)).toMatchObject({ enqueued: 1, missed: expect.any(Number) });
    expect((await states()).slice(0, 4)).toEqual(['-5 missed', '-4 missed', '-3 missed', '-2 missed']);
    expect((await states()).at(-1)).toBe('0 waiting');
    expect(log.warnings).toEqual([expect.stringContaining('tend schedules show minutely')]);
  });

  it('catch_up = none runs none where even the newest came long ago', async () => {
    await queue.declare({ yearly: { cron: '0 0 1 1 *', kind: 'noop', catch_up: 'none', max_late: '366d' } });
    await queue.materialise();
    await queue.database.query(
      `update tend.schedules set next_slot = date_trunc('year', now() at time zone 'UTC') at time zone 'UTC'`,
    );
    expect(await queue.materialise()).toEqual({ enqueued: 0, skipped: 0, superseded: 0, missed: 1 });
    expect(await queue.occurrences('yearly')).toMatchObject([
      { state: 'missed', reason: expect.stringMatching(/^missed: \d+ d.* late, and catch_up is none$/) },
    ]);
  });

  it('what is later than max_late is missed, whatever catch_up says', async () => {
    await overdue(6, { catch_up: 'all', max_late: '210s' });
    await queue.materialise();
    const found = await queue.occurrences('minutely');
    expect(found.slice(0, 3).map(({ state }) => state)).toEqual(['missed', 'missed', 'missed']);
    expect(found[0]?.reason).toMatch(/^missed: .* late, and max_late is 3 m 30 s$/);
    expect(found.slice(-3).map(({ state }) => state)).toEqual(['waiting', 'waiting', 'waiting']);
  });

  it('a missed occurrence is a task that a person can run after all', async () => {
    await overdue(3, { catch_up: 'none' });
    await queue.materialise();
    const [{ id } = { id: 0 }] = await queue.occurrences('minutely');
    expect(await queue.database.query('select tend.retry($1) as state', [id])).toEqual([
      { state: 'waiting' },
    ]);
  });

  it('a month of a per-minute schedule is a hundred rows, one that counts the others, and a moment', async () => {
    await overdue(31 * 24 * 60, { catch_up: 'all', max_late: '60d' });
    const before = process.cpuUsage();
    expect(await queue.materialise()).toMatchObject({ enqueued: 100, missed: 1 });
    // Walking 44,640 occurrences one by one takes seconds (croner: 3 s); this is no measurement, only that difference.
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(2500);
    const [first, ...rest] = await queue.occurrences('minutely');
    expect(first?.reason).toMatch(/^missed: 44541 occurrences from \S+Z to \S+Z; no tick came/);
    expect(rest.map(({ state }) => state)).toEqual(Array.from({ length: 100 }, () => 'waiting'));
    expect(
      await queue.database.query('select missed_last_day::int as n, problems from tend.health'),
    ).toMatchObject([{ n: 1, problems: expect.arrayContaining(['1 occurrence missed in the last day']) }]);
  });
});

describe('while an earlier occurrence is not over', () => {
  it.each([
    ['waits', async () => {}],
    ['runs', async () => void (await queue.claim())],
  ])('overlap = skip leaves the next one out when it %s, with the reason', async (_how, prepare) => {
    await overdue(0);
    await queue.materialise();
    await prepare();
    await queue.rewind('minutely', -1);
    await queue.database.query(`update tend.schedules set next_slot = next_slot - interval '2 min'`);
    await queue.database.query(`update tend.tasks set slot_at = slot_at - interval '5 min'`);
    expect(await queue.materialise()).toMatchObject({ enqueued: 0, skipped: 1 });
    const [earlier, ...left] = await queue.occurrences('minutely');
    expect(left.at(-1)).toMatchObject({
      state: 'missed',
      reason: expect.stringMatching(
        new RegExp(`^skipped: task ${earlier?.id} of .* is still (waiting|running), and overlap is skip$`),
      ),
    });
    expect(await queue.database.query('select problems from tend.health')).toEqual([
      { problems: expect.not.arrayContaining([expect.stringContaining('missed')]) },
    ]);
  });

  it('overlap = queue lets the next one wait for it', async () => {
    await overdue(0, { overlap: 'queue' });
    await queue.materialise();
    await queue.claim();
    await queue.database.query(`update tend.tasks set slot_at = slot_at - interval '5 min'`);
    await queue.rewind('minutely', 0);
    expect(await queue.materialise()).toMatchObject({ enqueued: 1, skipped: 0 });
    expect(await queue.claim()).toEqual([]);
  });

  it('one that is held for a person does not stand in the way', async () => {
    await overdue(0);
    await queue.materialise();
    await queue.database.query(
      `update tend.tasks set state = 'held', reason = 'x', slot_at = slot_at - interval '5 min'`,
    );
    await queue.rewind('minutely', 0);
    expect(await queue.materialise()).toMatchObject({ enqueued: 1 });
  });
});

describe('host = "*"', () => {
  it('makes an occurrence for every host that ticks, each its own', async () => {
    await queue.database.query(
      `insert into tend.hosts (host, last_worker, last_tick_at)
       values ('web1', 'x', now()), ('web2', 'x', now()), ('gone', 'x', now() - interval '8 days')`,
    );
    await overdue(0, { host: '*' });
    expect(await queue.materialise()).toMatchObject({ enqueued: 2 });
    expect((await queue.occurrences('minutely')).map(({ host }) => host)).toEqual(['web1', 'web2']);
  });

  it('judges overlap host by host', async () => {
    await queue.database.query(
      `insert into tend.hosts (host, last_worker) values ('web1', 'x'), ('web2', 'x')`,
    );
    await overdue(0, { host: '*' });
    await queue.materialise();
    await queue.database.query(
      `update tend.tasks set slot_at = slot_at - interval '5 min',
              state = case host when 'web1' then 'succeeded' else state end,
              finished_at = case host when 'web1' then now() end`,
    );
    await queue.rewind('minutely', 0);
    expect(await queue.materialise()).toMatchObject({ enqueued: 1, skipped: 1 });
  });
});

describe('a schedule that cannot be enqueued', () => {
  it.each([
    ['expression', `cron = 'every day'`],
    ['time zone', `timezone = 'Mars/Olympus'`],
  ])('is reported and set aside where its %s cannot be read, and holds up no other', async (_what, edit) => {
    await overdue(0);
    await queue.declare({
      broken: { cron: '* * * * *', kind: 'noop' },
      minutely: { cron: '* * * * *', kind: 'noop' },
    });
    await queue.database.query(`update tend.schedules set ${edit} where name = 'broken'`);
    const log = recordingLog();
    expect(await queue.materialise(log)).toMatchObject({ enqueued: 1 });
    expect(log.warnings).toEqual([expect.stringContaining('Schedule "broken" cannot be planned')]);
    expect(await queue.schedule('broken')).toMatchObject({
      problem: expect.any(String),
      next_slot: Infinity,
    });
    expect(await queue.database.query('select problems from tend.health')).toEqual([
      { problems: expect.arrayContaining([expect.stringContaining('broken cannot be planned')]) },
    ]);
    expect(await queue.materialise(recordingLog())).toMatchObject({ enqueued: 0 });
  });

  it('is reported and tried again where the database refuses it, and holds up no other', async () => {
    await overdue(0);
    await queue.declare({
      minutely: { cron: '* * * * *', kind: 'noop' },
      refused: { cron: '* * * * *', kind: 'refused' },
    });
    await queue.plan();
    await queue.clear();
    await queue.declare({
      minutely: { cron: '* * * * *', kind: 'noop' },
      refused: { cron: '* * * * *', kind: 'refused' },
    });
    await queue.plan();
    await Promise.all([queue.rewind('minutely', 0), queue.rewind('refused', 0)]);
    await queue.database.query(`alter table tend.tasks add constraint no_refused check (kind <> 'refused')`);
    try {
      const log = recordingLog();
      expect(await queue.materialise(log)).toMatchObject({ enqueued: 1 });
      expect(log.warnings).toEqual([expect.stringContaining('no_refused')]);
      expect(await queue.schedule('refused')).toMatchObject({
        problem: expect.stringContaining('no_refused'),
      });
    } finally {
      await queue.database.query('alter table tend.tasks drop constraint no_refused');
    }
    expect(await queue.materialise(recordingLog())).toMatchObject({ enqueued: 1 });
    expect(await queue.schedule('refused')).toMatchObject({ problem: null });
  });
});

it('more schedules than fit into a batch are all dealt with', async () => {
  const many = Object.fromEntries(
    Array.from({ length: 450 }, (_, index) => [`s${index}`, { cron: '* * * * *', kind: 'noop' }]),
  );
  await queue.declare(many);
  await queue.plan();
  await queue.database.query(`update tend.schedules set next_slot = date_trunc('minute', now())`);
  expect(await queue.materialise()).toMatchObject({ enqueued: 450 });
});
