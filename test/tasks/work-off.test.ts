import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/log.ts';
import { type ClaimedTask, claimDueTasks } from '../../src/tasks/claim-due-tasks.ts';
import type { ClaimSource } from '../../src/tasks/claim-source.ts';
import { type WorkOptions, workOff } from '../../src/tasks/work-off.ts';
import type { WorkReport } from '../../src/tasks/work-report.ts';
import { createQueue, fakeKinds, type Handler, type Queue, succeed } from './support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

async function enqueueMany(kind: string, count: number, args: Record<string, unknown> = {}): Promise<void> {
  for (let n = 0; n < count; n++) await queue.enqueue(kind, args);
}

async function countOf(state: string): Promise<number> {
  const [row] = await queue.database.query<{ n: number }>(
    `select count(*)::int as n from tend.tasks where state = '${state}'`,
  );
  return row?.n ?? -1;
}

/** A handler that notes how many tasks are held while it works, and ends when it is told to. */
function watchful() {
  const held: number[] = [];
  const gate = Promise.withResolvers<void>();
  const run: Handler = async () => {
    held.push(await countOf('running'));
    await gate.promise;
    return { outcome: 'succeeded' };
  };
  return { held, run, open: () => gate.resolve() };
}

describe('a worker', () => {
  it('holds no more long tasks than it has slots', async () => {
    await enqueueMany('long', 30);
    const { held, run, open } = watchful();
    const ticking = queue.tick({ long: run }, { concurrency: 3, limit: 6 });
    await expect.poll(() => held.length).toBe(3);
    expect(await countOf('running')).toBe(3);
    open();
    await ticking;
    // Later ones may see ends that are still being written.
    expect(Math.max(...held.slice(0, 3))).toBeLessThanOrEqual(3);
  });

  it('gives back what it claimed ahead when long tasks take all slots, uncounted and in its place', async () => {
    await enqueueMany('quick', 200);
    await enqueueMany('long', 20);
    const before = await queue.database.query(
      `select id, run_at from tend.tasks where kind = 'long' order by id`,
    );
    const { held, run, open } = watchful();
    const ticking = queue.tick({ quick: succeed, long: run }, { concurrency: 2 });
    await expect.poll(() => held.length).toBe(2);
    await expect.poll(() => countOf('running')).toBe(2);
    const given = await queue.database.query(
      `select id, run_at from tend.tasks where kind = 'long' order by id`,
    );
    expect(given).toEqual(before);
    expect(
      await queue.database.query(`select from tend.tasks where state = 'waiting' and attempt > 0`),
    ).toEqual([]);
    open();
    expect(await ticking).toMatchObject({ succeeded: 220, lost: 0 });
    expect(await queue.database.query(`select from tend.tasks where attempt <> 1`)).toEqual([]);
  });

  it('runs as many as the limit says, also when it has given some back', async () => {
    await enqueueMany('quick', 60);
    await enqueueMany('long', 5);
    const { held, run, open } = watchful();
    const ticking = queue.tick({ quick: succeed, long: run }, { concurrency: 1, limit: 63 });
    await expect.poll(() => held.length).toBe(1);
    await expect.poll(() => countOf('running')).toBe(1);
    open();
    expect(await ticking).toMatchObject({ succeeded: 63 });
    expect(await countOf('waiting')).toBe(2);
  });

  it('starts nothing after the deadline, also of what it has claimed', async () => {
    await enqueueMany('quick', 40);
    await enqueueMany('long', 10);
    const { held, run, open } = watchful();
    const ticking = queue.tick({ quick: succeed, long: run }, { concurrency: 1, deadlineMs: 3000 });
    await expect.poll(() => held.length).toBe(1);
    setTimeout(open, 3100);
    await ticking;
    expect(held).toHaveLength(1);
    expect(await countOf('running')).toBe(0);
    expect(await countOf('waiting')).toBe(9);
  });
});

describe('a worker with quick tasks', () => {
  it('claims the next batch while it works one off, and never holds more than two', async () => {
    const claims: { startable: number; held: number }[] = [];
    let held = 0;
    const report = await workOffQuick({
      tasks: 3000,
      async claim(count, startable) {
        claims.push({ startable, held });
        const tasks = await claimQuick(count, startable);
        held += tasks.length;
        return tasks;
      },
      onAttemptEnded: () => {
        held -= 1;
      },
    });
    expect(report.succeeded).toBe(3000);
    const ahead = claims.filter(({ startable }) => startable === 0);
    expect(ahead.length).toBeGreaterThan(1);
    for (const claim of ahead) {
      expect(claim.held).toBeGreaterThan(0);
      expect(claim.held).toBeLessThanOrEqual(500 + 4);
    }
  });

  it('goes on when there was nothing that may be claimed ahead, however late that is known', async () => {
    let isAheadAnswered = false;
    const report = await workOffQuick({
      tasks: 600,
      async claim(count, startable) {
        if (startable > 0) return await claimQuick(count, startable);
        await expect.poll(() => countOf('running')).toBe(0);
        isAheadAnswered = true;
        return [];
      },
    });
    expect(isAheadAnswered).toBe(true);
    expect(report.succeeded).toBe(600);
  });
});

async function claimQuick(count: number, startable: number): Promise<ClaimedTask[]> {
  const { db, worker } = queue;
  return await claimDueTasks({ db, worker, leaseMs: 60_000, kinds: ['quick'], count, startable });
}

async function workOffQuick({
  claim,
  ...options
}: { tasks: number; claim: ClaimSource } & Pick<WorkOptions, 'onAttemptEnded'>): Promise<WorkReport> {
  await queue.database.query(
    `insert into tend.tasks (kind) select 'quick' from generate_series(1, ${options.tasks})`,
  );
  return await workOff({
    ...options,
    context: queue.context(),
    kinds: fakeKinds({ quick: succeed }),
    worker: queue.worker,
    lanes: [{ claim, concurrency: 4 }],
    ...{ leaseMs: 60_000, graceMs: 1000, limit: 10_000 },
    mayClaim: () => true,
    signal: new AbortController().signal,
    log: silentLog,
  });
}

describe('what is claimed beyond the free slots', () => {
  it('holds no mutex, and needs no person should the worker die', async () => {
    const plain = await queue.enqueue('noop');
    const first = await queue.enqueue('noop', { mutex: 'a' });
    await queue.enqueue('noop', { mutex: 'b' });
    await queue.database.query(
      `insert into tend.kinds (kind, source, max_attempts, on_lost) values ('hold', 'config', 5, 'hold')`,
    );
    await queue.enqueue('hold');
    const last = await queue.enqueue('noop');
    const { db, worker } = queue;
    const claimed = await claimDueTasks({
      db,
      worker,
      leaseMs: 60_000,
      kinds: ['noop', 'hold'],
      count: 10,
      startable: 2,
    });
    expect(claimed.map(({ id }) => id)).toEqual([plain, first, last]);
  });
});
