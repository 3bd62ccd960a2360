import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { beginTick } from '../../src/tasks/begin-tick.ts';
import { finishAttempts } from '../../src/tasks/finish-attempts.ts';
import { registerKinds } from '../../src/tasks/register-kinds.ts';
import { tickDatabase } from '../support/tick-database.ts';
import { createQueue, ending, fakeKinds, type Queue, succeed } from '../tasks/support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => {
  await queue.clear();
  await registerKinds({ db: queue.db, kinds: fakeKinds({ noop: succeed }) });
  await beginTick({
    ...tickDatabase(queue.db),
    worker: queue.worker,
    keepSucceededMs: 1e9,
    keepEndedMs: 1e9,
  });
});

async function health(): Promise<Record<string, unknown>> {
  const [row] = await queue.database.query('select * from tend.health');
  return row ?? {};
}

async function age(id: number, column: string, minutes: number): Promise<void> {
  await queue.database.query(
    `update tend.tasks set ${column} = now() - make_interval(mins => $2) where id = $1`,
    [id, minutes],
  );
}

it('is ok where ticks come and nothing waits too long', async () => {
  await queue.enqueue('noop');
  await queue.enqueue('noop', { run_at: new Date(Date.now() + 3_600_000) });
  expect(await health()).toMatchObject({ ok: true, problems: [], due: '1', running: '0', held: '0' });
});

const problems: [string, () => Promise<unknown>, RegExp][] = [
  ['no tick has ever run', () => queue.database.query('delete from tend.hosts'), /^no tick has ever run$/],
  [
    'ticks have stopped',
    () => queue.database.query(`update tend.hosts set last_tick_at = now() - interval '1 hour'`),
    /^no tick for 01:00:0\d$/,
  ],
  [
    'a task is due for long',
    async () => await age(await queue.enqueue('noop'), 'run_at', 16),
    /^a task is due since/,
  ],
  [
    'a lease has expired',
    async () => {
      const id = await queue.enqueue('noop');
      await queue.claim();
      await queue.expire(id);
    },
    /^1 running with an expired lease$/,
  ],
  ['a task is held', () => finishAs({ outcome: 'unknown', state: 'held', reason: 'r' }), /^1 held/],
  [
    'a task failed today',
    () => finishAs({ outcome: 'failed', state: 'failed' }),
    /^1 failed in the last day$/,
  ],
  [
    'a pause keeps due tasks back for more than an hour',
    async () => {
      await age(await queue.enqueue('noop', { queue: 'imports' }), 'run_at', 90);
      await queue.database.query(`insert into tend.pauses (scope, name, paused_at, paused_by)
        values ('queue', 'imports', now() - interval '61 min', 'ann'), ('kind', 'other', now() - interval '1 day', 'ann')`);
    },
    /^queue "imports" is paused since \S+ \S+ with 1 due$/,
  ],
  ['a kind is known to nobody', () => queue.enqueue('stranger'), /^1 due of a kind nobody knows$/],
];

async function finishAs(given: Parameters<typeof ending>[0]): Promise<void> {
  await queue.enqueue('noop');
  const claimed = await queue.claim();
  await finishAttempts({ db: queue.db, endings: claimed.map((task) => ({ task, ending: ending(given) })) });
}

it.each(problems)('says so where %s', async (_name, cause, text) => {
  await cause();
  const { ok, problems: found } = await health();
  expect(ok).toBe(false);
  expect(found).toEqual([expect.stringMatching(text)]);
});

it('is no trouble that a pause keeps back what is due, for an hour; what else is late is', async () => {
  await age(await queue.enqueue('noop', { queue: 'imports' }), 'run_at', 50);
  await queue.database.query(`insert into tend.pauses (scope, name, paused_at, paused_by)
    values ('queue', 'imports', now() - interval '55 min', 'ann')`);
  expect(await health()).toMatchObject({ ok: true, due: '1' });
  await age(await queue.enqueue('noop'), 'run_at', 16);
  expect(await health()).toMatchObject({
    ok: false,
    problems: [expect.stringMatching(/^a task is due since/)],
  });
});
