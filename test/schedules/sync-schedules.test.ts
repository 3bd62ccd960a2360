import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { schedulesFingerprint } from '../../src/schedules/schedules-fingerprint.ts';
import { configuredSchedules, createScheduleQueue, type ScheduleQueue } from './support/schedule-queue.ts';

let queue: ScheduleQueue;
beforeAll(async () => {
  queue = await createScheduleQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

const nightly = { cron: '30 2 * * *', timezone: 'Europe/Warsaw', kind: 'backup' };

async function names(): Promise<unknown[]> {
  const rows = await queue.database.query('select name from tend.schedules order by name');
  return rows.map(({ name }) => name);
}

it('a schedule of tend.toml is in the database with all it says', async () => {
  await queue.declare({
    nightly: {
      ...nightly,
      ...{ payload: { label: 'n' }, catch_up: 'all', max_late: '6h', overlap: 'queue', host: 'web1' },
      ...{ queue: 'slow', priority: -3 },
    },
  });
  expect(await queue.schedule('nightly')).toMatchObject({
    ...{
      source: 'config',
      declared_by: ['web1'],
      cron: '30 2 * * *',
      timezone: 'Europe/Warsaw',
      kind: 'backup',
    },
    ...{ payload: { label: 'n' }, catch_up: 'all', max_late: { hours: 6 }, overlap: 'queue', host: 'web1' },
    ...{ queue: 'slow', priority: -3, enabled: true },
  });
});

it('one that several hosts declare exists once, and goes when the last of them withdraws it', async () => {
  await queue.declare({ nightly }, 'web1');
  await queue.declare({ nightly }, 'web2');
  expect(await queue.schedule('nightly')).toMatchObject({ declared_by: ['web1', 'web2'] });
  await queue.declare({}, 'web1');
  expect(await queue.schedule('nightly')).toMatchObject({ declared_by: ['web2'] });
  await queue.declare({}, 'web2');
  expect(await names()).toEqual([]);
});

it('a changed expression is planned anew from now: no old slot is run again', async () => {
  await queue.declare({ nightly: { ...nightly, catch_up: 'all', max_late: '300d' } });
  await queue.plan();
  await queue.declare({ nightly: { ...nightly, cron: '* * * * *', catch_up: 'all', max_late: '300d' } });
  expect(await queue.plan()).toMatchObject({ enqueued: 0, missed: 0 });
  await queue.declare({ nightly: { ...nightly, cron: '0 0 * * *', catch_up: 'all', max_late: '300d' } });
  expect(await queue.plan()).toMatchObject({ enqueued: 0, missed: 0 });
  expect(await queue.occurrences('nightly')).toEqual([]);
});

it('a changed payload keeps the plan', async () => {
  await queue.declare({ nightly });
  await queue.plan();
  const { next_slot } = await queue.schedule('nightly');
  await queue.declare({ nightly: { ...nightly, payload: { label: 'x' } } });
  expect(await queue.schedule('nightly')).toMatchObject({ next_slot, payload: { label: 'x' } });
});

it('one that a person disabled stays so when tend.toml is read again', async () => {
  await queue.declare({ nightly });
  await queue.database.query(`update tend.schedules set enabled = false, disabled_reason = 'by ann'`);
  await queue.declare({ nightly: { ...nightly, cron: '0 3 * * *' } });
  expect(await queue.schedule('nightly')).toMatchObject({ enabled: false, disabled_reason: 'by ann' });
});

it('one that was made by SQL is not overwritten: the conflict stands on its row until tend.toml gives way', async () => {
  await queue.database.query(`select tend.schedule('nightly', '0 4 * * *', 'noop')`);
  expect(await queue.declare({ nightly })).toEqual(['nightly']);
  expect(await queue.schedule('nightly')).toMatchObject({
    ...{ source: 'sql', cron: '0 4 * * *', kind: 'noop', declared_by: [] },
    conflict: 'tend.toml of web1 has one of this name, which is not used',
  });
  expect(await queue.database.query('select problems from tend.health')).toEqual([
    { problems: expect.arrayContaining([expect.stringContaining('nightly is defined twice')]) },
  ]);
  expect(await queue.declare({})).toEqual([]);
  expect(await queue.schedule('nightly')).toMatchObject({ source: 'sql', conflict: null });
});

it('the same rule under two names is two schedules', async () => {
  await queue.declare({ one: nightly, two: nightly });
  expect(await names()).toEqual(['one', 'two']);
});

it('two hosts that declare at once both count', async () => {
  const hosts = ['web1', 'web2', 'web3', 'web4'];
  await Promise.all(hosts.map(async (host) => await queue.declare({ nightly, other: nightly }, host)));
  expect(await queue.schedule('nightly')).toMatchObject({ declared_by: hosts });
});

it('the fingerprint changes with every setting, and not with nothing', () => {
  const of = (schedule: object) => schedulesFingerprint(configuredSchedules({ nightly: schedule }));
  const all = [
    nightly,
    { ...nightly, cron: '31 2 * * *' },
    { ...nightly, timezone: 'UTC' },
    { ...nightly, kind: 'noop' },
    { ...nightly, payload: { a: 1 } },
    { ...nightly, catch_up: 'all' },
    { ...nightly, max_late: '7h' },
    { ...nightly, overlap: 'queue' },
    { ...nightly, host: '*' },
    { ...nightly, queue: 'x' },
    { ...nightly, priority: 1 },
  ].map(of);
  expect(new Set(all).size).toBe(all.length);
  expect(of({ ...nightly })).toBe(all[0]);
});
