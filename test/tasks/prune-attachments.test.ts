import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { pruneAttachments } from '../../src/tasks/prune-attachments.ts';
import { createQueue, type Queue } from './support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => {
  await queue.clear();
  await queue.database.query('truncate tend.attachments; delete from tend.schedules');
});

async function attachment(days: number): Promise<number> {
  const [row] = await queue.database.query<{ id: string }>(
    `insert into tend.attachments (filename, content, expires_at)
     values ('a', '', now() + make_interval(days => $1)) returning id`,
    [days],
  );
  return Number(row?.id);
}

async function left(): Promise<number[]> {
  const rows = await queue.database.query<{ id: string }>('select id from tend.attachments order by id');
  return rows.map(({ id }) => Number(id));
}

/** A task that names it, in this state. */
async function taskIn(state: string, attachments: unknown): Promise<void> {
  const isOver = ['succeeded', 'failed', 'cancelled'].includes(state);
  await queue.database.query(
    `insert into tend.tasks (kind, payload, state, reason, finished_at, started_at, lease_owner, lease_token, lease_until)
     select 'send-mail', $1, $2, 'r', case when $3 then now() end, case when running then now() end,
            case when running then 'x:1:::' end, case when running then gen_random_uuid() end, case when running then now() end
       from (values ($2 = 'running')) as t (running)`,
    [{ to: 'a@x.test', subject: 's', attachments }, state, isOver],
  );
}

it('attachments go when they have expired, and not before', async () => {
  const [, young] = [await attachment(-1), await attachment(1)];
  expect(await pruneAttachments(queue.db)).toBe(1);
  expect(await left()).toEqual([young]);
});

it.each(['waiting', 'running', 'held'])(
  'an attachment that a %s message names stays, and is asked about a day later',
  async (state) => {
    const [needed] = [await attachment(-1), await attachment(-1)];
    await taskIn(state, [{ path: 'a' }, { attachment: needed }]);
    expect(await pruneAttachments(queue.db)).toBe(1);
    expect(await left()).toEqual([needed]);
    const rows = await queue.database.query(
      `select expires_at between now() + interval '23 hours' and now() + interval '25 hours' as ok from tend.attachments`,
    );
    expect(rows).toEqual([{ ok: true }]);
  },
);

it.each(['succeeded', 'failed', 'cancelled'])('an attachment that a %s message named goes', async (state) => {
  await taskIn(state, [{ attachment: await attachment(-1) }]);
  expect(await pruneAttachments(queue.db)).toBe(1);
});

it('an attachment that a schedule names stays', async () => {
  const needed = await attachment(-1);
  await queue.database.query(`select tend.schedule('news', '@daily', 'send-mail', $1)`, [
    { to: 'a@x.test', subject: 's', attachments: [{ attachment: needed }] },
  ]);
  expect(await pruneAttachments(queue.db)).toBe(0);
  expect(await left()).toEqual([needed]);
});

it('payloads that say something else under that name keep nothing and break nothing', async () => {
  const id = await attachment(-1);
  for (const attachments of [null, 'x', { attachment: id.toString() }, [{ attachment: '1 or true' }], [[]]]) {
    await taskIn('waiting', attachments);
  }
  expect(await pruneAttachments(queue.db)).toBe(1);
});
