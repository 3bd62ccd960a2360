import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { explainTask } from '../../src/tasks/explain-task.ts';
import { findPauses, type Paused, pauseTasks, resumeTasks } from '../../src/tasks/pause-tasks.ts';
import { reapLostTasks } from '../../src/tasks/reap-lost-tasks.ts';
import { workerIdentity } from '../../src/tasks/worker-identity.ts';
import { createQueue, type Handler, host, type Queue, succeed } from './support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

const noop: Paused = { scope: 'kind', name: 'noop' };
const imports: Paused = { scope: 'queue', name: 'imports' };

async function pause(
  paused: readonly Paused[],
  given: { reason?: string; by?: string } = {},
): Promise<Paused[]> {
  return await pauseTasks({ db: queue.db, paused, reason: given.reason, by: given.by ?? 'ann on web1' });
}

describe('a pause', () => {
  it('of a kind keeps every host from it, whatever the queue, and nothing else', async () => {
    const paused = [await queue.enqueue('noop'), await queue.enqueue('noop', { queue: 'mail' })];
    const other = await queue.enqueue('other');
    await pause([noop]);
    const claim = { kinds: ['noop', 'other'], count: 10 };
    expect(await queue.claim({ ...claim, worker: workerIdentity('web2') })).toMatchObject([{ id: other }]);
    expect(await queue.claim(claim)).toEqual([]);
    for (const id of paused) expect(await queue.task(id)).toMatchObject({ state: 'waiting', attempt: 0 });
  });

  it('of a queue keeps every kind in it back, and no kind of that name', async () => {
    const paused = await queue.enqueue('noop', { queue: 'imports' });
    const kind = await queue.enqueue('imports');
    await pause([imports]);
    const claim = { kinds: ['noop', 'imports'], count: 10 };
    expect(await queue.claim(claim)).toMatchObject([{ id: kind }]);
    expect(await queue.task(paused)).toMatchObject({ state: 'waiting' });
  });

  it('takes hold where kinds and hosts have limits, too', async () => {
    await queue.tick({ noop: { run: succeed, maxRunning: 3 } });
    await queue.enqueue('noop');
    const free = await queue.enqueue('other');
    await pause([noop]);
    expect(await queue.claim({ kinds: ['noop', 'other'], count: 10, hostLimit: 5 })).toMatchObject([
      { id: free },
    ]);
  });

  it('takes hold in the middle of a drain, and lets what runs go on', async () => {
    for (let n = 0; n < 20; n++) await queue.enqueue('noop');
    let started = 0;
    const pausing: Handler = async () => {
      started += 1;
      if (started === 3) await pause([noop]);
      return { outcome: 'succeeded' };
    };
    const report = await queue.tick({ noop: pausing }, { concurrency: 1 });
    expect(report.succeeded).toBe(started);
    expect(report.failed).toBe(0);
    expect(started).toBeLessThan(20);
    await resumeTasks({ db: queue.db, paused: [noop] });
    expect(await queue.tick({ noop: succeed })).toMatchObject({ succeeded: 20 - started });
  });

  it('does not keep the reaper from taking back what is lost', async () => {
    const id = await queue.enqueue('noop');
    await queue.claim();
    await pause([noop]);
    await queue.expire(id);
    expect(await reapLostTasks({ db: queue.db, deadOwners: [] })).toMatchObject([{ id, state: 'waiting' }]);
    await queue.database.query('update tend.tasks set run_at = now()');
    expect(await queue.claim()).toEqual([]);
  });

  it('also holds for what is enqueued and replaced while it lasts', async () => {
    await pause([imports]);
    const id = await queue.enqueue('noop', { unique_key: 'k' });
    expect(await queue.enqueue('noop', { unique_key: 'k', queue: 'imports' })).toBe(id);
    expect(await queue.claim()).toEqual([]);
    expect(await queue.enqueue('noop', { unique_key: 'k' })).toBe(id);
    expect(await queue.claim()).toMatchObject([{ id }]);
  });

  it('refuses a task that a person wants to run now, and says how to resume', async () => {
    const id = await queue.enqueue('noop', {
      queue: "ann's imports",
      run_at: new Date(Date.now() + 3_600_000),
    });
    await pause([{ scope: 'queue', name: "ann's imports" }], { reason: 'disk full' });
    const running = queue.tick({ noop: succeed }, { taskId: id });
    await expect(running).rejects.toMatchObject({ code: 'TASK_STATE_CONFLICT' });
    await expect(running).rejects.toThrow(
      /^Task 1 cannot be run now: queue "ann's imports" is paused since [^;]+ by ann on web1 \(disk full\): tend tasks resume --queue 'ann'\\''s imports'\.$/,
    );
    expect(await queue.task(id)).toMatchObject({ state: 'waiting', attempt: 0 });
  });

  it('repeated is the first one still: who, when and why', async () => {
    expect(await pause([noop], { reason: 'relay is down' })).toEqual([noop]);
    const [first] = await findPauses({ db: queue.db });
    expect(await pause([noop, imports], { by: 'bob on web2' })).toEqual([imports]);
    const pauses = await findPauses({ db: queue.db });
    expect(pauses).toMatchObject([first ?? {}, { ...imports, reason: null, pausedBy: 'bob on web2' }]);
    expect(first).toMatchObject({ ...noop, reason: 'relay is down', pausedBy: 'ann on web1', due: 0 });
  });

  it('counts the due tasks it keeps back', async () => {
    await queue.enqueue('noop');
    await queue.enqueue('noop', { queue: 'imports' });
    await queue.enqueue('noop', { run_at: new Date(Date.now() + 3_600_000) });
    await pause([noop, imports]);
    const due = (await findPauses({ db: queue.db })).map(({ scope, due: count }) => [scope, count]);
    expect(due).toEqual([
      ['kind', 2],
      ['queue', 1],
    ]);
  });
});

describe('resuming', () => {
  it('lets the very next claim take what was kept back', async () => {
    const id = await queue.enqueue('noop', { queue: 'imports' });
    await pause([noop, imports]);
    expect(await resumeTasks({ db: queue.db, paused: [noop] })).toEqual([noop]);
    expect(await queue.claim()).toEqual([]);
    expect(await resumeTasks({ db: queue.db, paused: [noop, imports] })).toEqual([imports]);
    expect(await queue.claim()).toMatchObject([{ id }]);
  });
});

describe('tasks explain', () => {
  it('names every pause that keeps a task back, since when, by whom, why, and the command that ends it', async () => {
    const id = await queue.enqueue('noop', { queue: 'imports' });
    await pause([imports], { reason: 'disk full', by: 'bob on web2' });
    await pause([noop]);
    await queue.database.query(`update tend.pauses set paused_at = now() - interval '2 hours'`);
    const { willRun, reasons } = await explainTask({ db: queue.db, id, knownKinds: ['noop'], host });
    expect(willRun).toBe(false);
    expect(reasons.filter(({ check }) => check === 'paused')).toEqual([
      {
        ...{ check: 'paused', blocks: true },
        text: 'kind "noop" is paused since 2 h by ann on web1: tend tasks resume --kind noop',
      },
      {
        ...{ check: 'paused', blocks: true },
        text: 'queue "imports" is paused since 2 h by bob on web2 (disk full): tend tasks resume --queue imports',
      },
    ]);
  });
});
