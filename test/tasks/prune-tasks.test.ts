import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/open-database.ts';
import { countPrunable, pruneTasks } from '../../src/tasks/prune-tasks.ts';
import { taskStates } from '../../src/tasks/states.ts';
import { createQueue, type Queue } from './support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

const day = 86_400_000;
const keep = { keepSucceededMs: 7 * day, keepEndedMs: 90 * day };

const prune = async (mayContinue = () => true) => await pruneTasks({ db: queue.db, ...keep, mayContinue });

/** Rows in this state whose every time is `days` ago. */
async function insert(state: string, days: number, count = 1): Promise<void> {
  await queue.database.query(
    `insert into tend.tasks (kind, state, created_at, run_at, started_at, finished_at, reason,
                             lease_owner, lease_token, lease_until)
     select 'noop', $1, old, old, old, case when $1 in ('succeeded', 'failed', 'cancelled', 'missed') then old end, 'r',
            case when $1 = 'running' then 'x:1:::' end, case when $1 = 'running' then gen_random_uuid() end,
            case when $1 = 'running' then old end
       from (values (now() - make_interval(days => $2))) as t (old), generate_series(1, $3::int)`,
    [state, days, count],
  );
}

async function left(): Promise<string[]> {
  const rows = await queue.database.query<{ state: string }>('select state from tend.tasks order by state');
  return rows.map(({ state }) => state);
}

describe('pruning', () => {
  it('never touches what waits, runs or is held, whatever its age', async () => {
    for (const state of taskStates) await insert(state, 4000);
    expect(await countPrunable({ db: queue.db, ...keep })).toBe(4);
    expect(await prune()).toBe(4);
    expect(await left()).toEqual(['held', 'running', 'waiting']);
  });

  it.each([
    ['succeeded', 6, 8],
    ['failed', 89, 91],
    ['cancelled', 89, 91],
    ['missed', 89, 91],
  ])('keeps a %s task of %d days and deletes one of %d days', async (state, young, old) => {
    await insert(state, young);
    await insert(state, old);
    expect(await countPrunable({ db: queue.db, ...keep })).toBe(1);
    expect(await prune()).toBe(1);
    expect(await left()).toEqual([state]);
  });

  it('takes the attempts along, and only theirs', async () => {
    await insert('succeeded', 8);
    await insert('succeeded', 1);
    await queue.database.query(
      `insert into tend.attempts (task_id, token, attempt, owner, started_at, outcome)
       select id, gen_random_uuid(), 1, 'x', now(), 'succeeded' from tend.tasks`,
    );
    await prune();
    expect(
      await queue.database.query('select from tend.attempts a join tend.tasks t on t.id = a.task_id'),
    ).toHaveLength(1);
    expect(await queue.database.query('select from tend.attempts')).toHaveLength(1);
  });

  it('goes in batches of a thousand, and stops between them when it is told to', async () => {
    await insert('succeeded', 8, 2500);
    expect(await prune(() => false)).toBe(1000);
    expect(await prune()).toBe(1500);
    expect(await left()).toEqual([]);
  });

  it('by two at once shares the work', async () => {
    await insert('succeeded', 8, 3000);
    const counts = await Promise.all(
      [1, 2].map(async () => {
        await using db = openDatabase({ connection: queue.database.connection, applicationName: 'pruner' });
        return await pruneTasks({ db, ...keep, mayContinue: () => true });
      }),
    );
    expect(counts.reduce((sum, count) => sum + count, 0) + (await prune())).toBe(3000);
    expect(await left()).toEqual([]);
  });

  it('passes a row that somebody holds', async () => {
    await insert('succeeded', 8, 2);
    const session = await queue.database.connect();
    await session.query(
      'begin; select from tend.tasks where id = (select min(id) from tend.tasks) for update',
    );
    expect(await prune()).toBe(1);
    await session.end();
  });

  it('takes old deliveries along that belong to no task any more', async () => {
    await queue.database.query(`
      insert into tend.deliveries (message_id, envelope_from, recipients, raw, state, created_at)
      values ('old', 'a@b', '[]', '', 'unknown', now() - interval '91 days'), ('new', 'a@b', '[]', '', 'unknown', now())`);
    await prune();
    expect(await queue.database.query('select message_id from tend.deliveries')).toEqual([
      { message_id: 'new' },
    ]);
  });
});
