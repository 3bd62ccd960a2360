import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { disableSchedule, enableSchedule } from '../../src/schedules/change-schedule.ts';
import { triggerSchedule } from '../../src/schedules/trigger-schedule.ts';
import { createScheduleQueue, type ScheduleQueue } from './support/schedule-queue.ts';

let queue: ScheduleQueue;
beforeAll(async () => {
  queue = await createScheduleQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => {
  await queue.clear();
  await queue.declare({ minutely: { cron: '* * * * *', kind: 'noop', catch_up: 'all', payload: { a: 1 } } });
  await queue.plan();
});

const name = 'minutely';

it('a disabled schedule enqueues nothing; enabled again, it goes on from now', async () => {
  await queue.rewind(name, 5);
  expect(await disableSchedule({ db: queue.db, name, reason: 'by ann' })).toBe(true);
  expect(await queue.materialise()).toMatchObject({ enqueued: 0 });
  expect(await enableSchedule({ db: queue.db, name })).toBe(true);
  expect(await queue.materialise()).toMatchObject({ enqueued: 0, missed: 0 });
  expect(await queue.schedule(name)).toMatchObject({ enabled: true, disabled_reason: null });
  expect(await queue.occurrences(name)).toEqual([]);
});

it('disabling twice keeps the first reason, enabling twice changes nothing', async () => {
  await disableSchedule({ db: queue.db, name, reason: 'first' });
  expect(await disableSchedule({ db: queue.db, name, reason: 'second' })).toBe(false);
  expect(await queue.schedule(name)).toMatchObject({ disabled_reason: 'first' });
  await enableSchedule({ db: queue.db, name });
  expect(await enableSchedule({ db: queue.db, name })).toBe(false);
});

it('a schedule that is being planned while it is disabled is left alone', async () => {
  await queue.rewind(name, 2);
  const { findDueSchedules } = await import('../../src/schedules/find-due-schedules.ts');
  const { writeOccurrences } = await import('../../src/schedules/write-occurrences.ts');
  const [schedule] = await findDueSchedules({ db: queue.db, limit: 1 });
  if (schedule === undefined) throw new Error('not due');
  await disableSchedule({ db: queue.db, name, reason: 'x' });
  const plan = { occurrences: [{ slotAt: new Date(0), reason: null }], nextSlot: new Date() };
  expect(await writeOccurrences({ db: queue.db, schedules: [{ schedule, plan }] })).toEqual([]);
});

it('triggering enqueues one task now, besides the occurrences, also while it is disabled', async () => {
  await disableSchedule({ db: queue.db, name, reason: 'x' });
  const { next_slot } = await queue.schedule(name);
  const [first] = await triggerSchedule({ db: queue.db, name });
  const [second] = await triggerSchedule({ db: queue.db, name });
  expect(second).not.toBe(first);
  expect(await queue.task(first ?? 0)).toMatchObject({
    ...{ kind: 'noop', payload: { a: 1 }, state: 'waiting', schedule: name, slot_at: null },
  });
  expect(await queue.schedule(name)).toMatchObject({ next_slot });
});

it('triggering a schedule of every host makes a task for each', async () => {
  await queue.database.query(
    `insert into tend.hosts (host, last_worker) values ('web1', 'x'), ('web2', 'x')`,
  );
  await queue.declare({ each: { cron: '@daily', kind: 'noop', host: '*' } });
  expect(await triggerSchedule({ db: queue.db, name: 'each' })).toHaveLength(2);
});

it.each([
  ['disable', () => disableSchedule({ db: queue.db, name: 'minutly', reason: 'x' })],
  ['enable', () => enableSchedule({ db: queue.db, name: 'minutly' })],
  ['trigger', () => triggerSchedule({ db: queue.db, name: 'minutly' })],
])('to %s one that is not there is refused, with the one that may be meant', async (_verb, change) => {
  await expect(change()).rejects.toMatchObject({
    code: 'SCHEDULE_NOT_FOUND',
    exitCode: 66,
    message: 'There is no schedule "minutly". Did you mean "minutely"?',
  });
});
