import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, it } from 'vitest';
import { claim, claimOne, loseAnswer, startNow, takeOver } from './model/claim-steps.ts';
import { noteMoves } from './model/compare.ts';
import { enqueue, limit, miss, timePasses } from './model/enqueue-steps.ts';
import { beat, expire, finish, reap } from './model/lease-steps.ts';
import { cancel, pause, prune, resolve, retry } from './model/person-steps.ts';
import { hosts, newModel } from './model/queue-model.ts';
import type { Step } from './model/step.ts';
import { createQueue, type Queue } from './support/queue.ts';

let queue: Queue;
let session: pg.Client;

beforeAll(async () => {
  queue = await createQueue();
  session = await queue.database.connect();
  await session.query(noteMoves);
});
afterAll(async () => {
  await session.end();
  await queue[Symbol.asyncDispose]();
});

/** What is done more often stands here more often. */
const steps: fc.Arbitrary<Step>[] = [
  ...[enqueue, enqueue, enqueue, enqueue, enqueue, enqueue, miss, timePasses, timePasses, limit],
  ...[claim, claim, claim, claim, claimOne, startNow, loseAnswer, takeOver, takeOver],
  ...[finish, finish, finish, finish, finish, finish, beat, expire, expire, reap, reap],
  ...[cancel, cancel, retry, retry, resolve, resolve, pause, prune],
];

async function setUp() {
  await queue.clear();
  const model = newModel();
  const kinds = [...model.kinds].map(([kind, { maxAttempts, onLost, mutex, maxRunning }]) => ({
    ...{ kind, source: 'config', max_attempts: maxAttempts, on_lost: onLost, mutex, max_running: maxRunning },
  }));
  await session.query('insert into tend.kinds select * from jsonb_populate_recordset(null::tend.kinds, $1)', [
    JSON.stringify(kinds.map((kind) => ({ ...kind, updated_at: new Date() }))),
  ]);
  await session.query(
    `insert into tend.hosts (host, last_worker) select h, 'w' from unnest($1::text[]) as h`,
    [hosts],
  );
  await session.query('truncate public.moves');
  return { model, real: { queue, session } };
}

it('whatever workers, reapers, schedules and people do in whatever order, the queue holds what its rules say', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(...steps), { minLength: 30, maxLength: 60 }), async (taken) => {
      const { model, real } = await setUp();
      for (const step of taken) await step.run(model, real);
    }),
    { numRuns: 50, interruptAfterTimeLimit: 60_000 },
  );
}, 90_000);
