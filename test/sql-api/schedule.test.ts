import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createScheduleQueue, type ScheduleQueue } from '../schedules/support/schedule-queue.ts';

let queue: ScheduleQueue;
beforeAll(async () => {
  queue = await createScheduleQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

async function call(text: string): Promise<unknown> {
  const [row] = await queue.database.query<{ result: unknown }>(`select ${text} as result`);
  return row?.result;
}

describe('tend.schedule', () => {
  it('makes a schedule with all it is told, and says whether it made, changed or kept it', async () => {
    const full = `tend.schedule('news', '*/10 8-18 * * mon-fri', 'send-mail', '{"to": "a@example.org"}',
      timezone => 'America/New_York', catch_up => 'all', max_late => '2 hours', overlap => 'queue', queue => 'mail',
      priority => 5, host => '*')`;
    expect(await call(full)).toBe('created');
    expect(await call(full)).toBe('unchanged');
    expect(await call(full.replace('priority => 5', 'priority => 6'))).toBe('updated');
    expect(await queue.schedule('news')).toMatchObject({
      ...{ source: 'sql', declared_by: [], cron: '*/10 8-18 * * mon-fri', timezone: 'America/New_York' },
      ...{ kind: 'send-mail', payload: { to: 'a@example.org' }, catch_up: 'all', max_late: { hours: 2 } },
      ...{ overlap: 'queue', queue: 'mail', priority: 6, host: '*', enabled: true },
    });
  });

  it('is planned by the next tick, and never back-filled', async () => {
    await call(`tend.schedule('news', '* * * * *', 'noop', catch_up => 'all')`);
    expect(await queue.plan()).toMatchObject({ enqueued: 0, missed: 0 });
    await queue.rewind('news', 0);
    expect(await queue.materialise()).toMatchObject({ enqueued: 1 });
  });

  it('keeps the plan when only the payload changes, and makes a new one when the expression does', async () => {
    await call(`tend.schedule('news', '* * * * *', 'noop')`);
    await queue.plan();
    const { next_slot } = await queue.schedule('news');
    await call(`tend.schedule('news', '* * * * *', 'noop', '{"a": 1}')`);
    expect(await queue.schedule('news')).toMatchObject({ next_slot });
    await call(`tend.schedule('news', '0 0 1 1 *', 'noop', '{"a": 1}')`);
    expect(await queue.schedule('news')).toMatchObject({ next_slot: -Infinity });
  });

  it.each([
    [`null, '* * * * *', 'noop'`, 'cannot be the name of a schedule'],
    [`'No spaces', '* * * * *', 'noop'`, '"No spaces" cannot be the name of a schedule'],
    [`'x', '* * * * *', null`, 'cannot be a kind'],
    [`'x', '* * * * *', '../sh'`, '"../sh" cannot be a kind'],
    [`'x', null, 'noop'`, 'it is null'],
    [`'x', '* * * *', 'noop'`, '"* * * *" cannot be a schedule'],
    [`'x', '60 * * * *', 'noop'`, 'minute'],
    [`'x', '0 0 31 2 *', 'noop'`, '"31" never comes'],
    [`'x', '@reboot', 'noop'`, '"@reboot" cannot be a schedule'],
    [`'x', repeat('1,', 600) || '1 * * * *', 'noop'`, 'longer than 1000 bytes'],
    [`'x', '* * * * *', 'noop', timezone => 'Warsaw'`, '"Warsaw" is not a time zone'],
    [`'x', '* * * * *', 'noop', timezone => null`, 'is not a time zone'],
    [`'x', '* * * * *', 'noop', timezone => '+02:00'`, '"+02:00" is not a time zone'],
    [`'x', '* * * * *', 'noop', catch_up => 'some'`, 'catch_up cannot be "some"'],
    [`'x', '* * * * *', 'noop', overlap => null`, 'overlap cannot be'],
    [`'x', '* * * * *', 'noop', max_late => '-1 s'`, 'max_late cannot be "-00:00:01"'],
    [`'x', '* * * * *', 'noop', max_late => '2 years'`, 'max_late cannot be "2 years"'],
    [`'x', '* * * * *', 'noop', max_late => null`, 'max_late cannot be'],
    [`'x', '* * * * *', 'noop', '[]'`, 'must be a JSON object, not array'],
    [`'x', '* * * * *', 'noop', priority => 40000`, 'priority 40000 is out of range'],
    [`'x', '* * * * *', 'noop', queue => ''`, 'a queue of 0 bytes cannot be'],
    [`'x', '* * * * *', 'noop', host => 'a b'`, '"a b" cannot be a host'],
  ])('refuses %s', async (args, message) => {
    await expect(call(`tend.schedule(${args})`)).rejects.toMatchObject({
      code: '22023',
      message: expect.stringContaining(message),
    });
    expect(await queue.database.query('select from tend.schedules')).toEqual([]);
  });

  it('does not overwrite a schedule of a tend.toml', async () => {
    await queue.declare({ nightly: { cron: '30 2 * * *', kind: 'backup' } });
    await expect(call(`tend.schedule('nightly', '* * * * *', 'noop')`)).rejects.toMatchObject({
      code: '55000',
      message: 'tend.schedule: "nightly" is defined in tend.toml (of web1)',
    });
    await expect(call(`tend.unschedule('nightly')`)).rejects.toMatchObject({ code: '55000' });
    expect(await queue.schedule('nightly')).toMatchObject({ source: 'config', cron: '30 2 * * *' });
  });

  it('called by several at once, is one schedule', async () => {
    const calls = [1, 2, 3, 4, 5, 6].map(
      async (n) => await call(`tend.schedule('news', '* * * * *', 'noop', priority => ${n})`),
    );
    const results = await Promise.all(calls);
    expect(results.filter((result) => result === 'created')).toHaveLength(1);
    expect(await queue.database.query('select name from tend.schedules')).toEqual([{ name: 'news' }]);
  });

  it('in a transaction that is rolled back was never there', async () => {
    await queue.database.query(
      `do $$ begin perform tend.schedule('news', '* * * * *', 'noop'); raise exception 'no'; exception when others then null; end $$`,
    );
    expect(await queue.database.query('select from tend.schedules')).toEqual([]);
  });
});

describe('tend.unschedule', () => {
  it('removes a schedule; what it has enqueued stays', async () => {
    await call(`tend.schedule('news', '* * * * *', 'noop')`);
    await queue.plan();
    await queue.rewind('news', 0);
    await queue.materialise();
    expect(await call(`tend.unschedule('news')`)).toBe(true);
    expect(await queue.occurrences('news')).toHaveLength(1);
    expect(await queue.materialise()).toMatchObject({ enqueued: 0 });
  });

  it('says so when there is none', async () => {
    expect(await call(`tend.unschedule('news')`)).toBe(false);
  });
});

it('tend.schedule_overview shows every schedule with its next, its last and its newest task', async () => {
  await call(`tend.schedule('news', '* * * * *', 'noop')`);
  const overview = async () => await queue.database.query('select * from tend.schedule_overview');
  expect(await overview()).toMatchObject([{ name: 'news', next_slot: null, last_task: null }]);
  await queue.plan();
  const slot = await queue.rewind('news', 0);
  await queue.materialise();
  expect(await overview()).toMatchObject([
    { next_slot: new Date(slot.getTime() + 60_000), last_slot: slot, last_task: '1', last_state: 'waiting' },
  ]);
});
