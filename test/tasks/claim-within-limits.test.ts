import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/database/open-database.ts';
import { type ClaimedTask, claimDueTasks } from '../../src/tasks/claim-due-tasks.ts';
import { claimTask } from '../../src/tasks/claim-task.ts';
import { finishAttempts } from '../../src/tasks/finish-attempts.ts';
import { reapLostTasks } from '../../src/tasks/reap-lost-tasks.ts';
import { registerKinds } from '../../src/tasks/register-kinds.ts';
import { startTaskNow } from '../../src/tasks/start-task-now.ts';
import { type WorkerIdentity, workerIdentity } from '../../src/tasks/worker-identity.ts';
import { createQueue, ending, fakeKinds, type Handler, host, type Queue, succeed } from './support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

/** As the tick of a host does that has these limits in its tend.toml. */
async function limit(limits: Record<string, number | null>): Promise<void> {
  const kinds = Object.entries(limits).map(([kind, maxRunning]) => [kind, { run: succeed, maxRunning }]);
  await registerKinds({ db: queue.db, kinds: fakeKinds(Object.fromEntries(kinds)) });
}

async function enqueueMany(count: number, args = ''): Promise<void> {
  await queue.database.query(`select tend.enqueue('noop'${args}) from generate_series(1, $1) as n`, [count]);
}

async function finish(tasks: readonly ClaimedTask[]): Promise<void> {
  await finishAttempts({ db: queue.db, endings: tasks.map((task) => ({ task, ending: ending() })) });
}

async function count(condition: string): Promise<number> {
  const [row] = await queue.database.query<{ count: number }>(
    `select count(*)::integer as count from tend.tasks where ${condition}`,
  );
  return row?.count ?? 0;
}

/** Workers over sessions of their own that claim and finish until nothing waits; `look` after every claim. */
async function race(options: {
  workers: readonly WorkerIdentity[];
  claim: { count: number; kinds?: string[]; hostLimit?: (worker: WorkerIdentity) => number | undefined };
  look(tasks: readonly ClaimedTask[]): Promise<void>;
}): Promise<number[]> {
  const { kinds = ['noop'], hostLimit } = options.claim;
  const claimed = await Promise.all(
    options.workers.map(async (worker) => {
      await using db = openDatabase({ connection: queue.database.connection, applicationName: 'claimer' });
      const ids: number[] = [];
      while (
        (await db.selectFrom('tend.tasks').select('id').where('state', '=', 'waiting').limit(1).execute())
          .length > 0
      ) {
        const tasks = await claimDueTasks({
          ...{
            db,
            worker,
            leaseMs: 60_000,
            kinds,
            count: options.claim.count,
            hostLimit: hostLimit?.(worker),
          },
        });
        ids.push(...tasks.map(({ id }) => id));
        await options.look(tasks);
        await finishAttempts({ db, endings: tasks.map((task) => ({ task, ending: ending() })) });
      }
      return ids;
    }),
  );
  return claimed.flat();
}

const workersOn = (...hosts: string[]) => hosts.map((name) => workerIdentity(name));
const eightHosts = workersOn('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');

describe('a limit of a kind', () => {
  it('holds over all hosts while eight claimers race, and all tasks are done in the end', async () => {
    await limit({ noop: 3 });
    await enqueueMany(200);
    const seen: number[] = [];
    const claimed = await race({
      workers: eightHosts,
      claim: { count: 5 },
      look: async () => void seen.push(await count(`state = 'running'`)),
    });
    expect(Math.max(...seen)).toBeLessThanOrEqual(3);
    expect(claimed).toHaveLength(200);
    expect(new Set(claimed).size).toBe(200);
    expect(await count(`state = 'succeeded' and limit_place between 1 and 3`)).toBe(200);
  });

  it('holds together with limits of other kinds and mutexes across both', async () => {
    await limit({ noop: 2, other: 3, free: null });
    await enqueueMany(60, `, mutex => case when n % 3 = 0 then 'm' || n % 2 end`);
    await queue.database.query(
      `select tend.enqueue(case when n % 2 = 0 then 'other' else 'free' end, mutex => case when n % 5 = 0 then 'm1' end)
         from generate_series(1, 60) as n`,
    );
    const tooMany = `
      select format('%s of %s %s', count(*), what, name) as problem from (
        select 'kind' as what, kind as name, case kind when 'noop' then 2 when 'other' then 3 else 1000 end as most
          from tend.tasks where state = 'running'
        union all select 'mutex', mutex, 1 from tend.tasks where state = 'running' and mutex is not null) r
       group by what, name, most having count(*) > most`;
    const claimed = await race({
      workers: eightHosts,
      claim: { count: 6, kinds: ['noop', 'other', 'free'] },
      look: async () => expect(await queue.database.query(tooMany)).toEqual([]),
    });
    expect(claimed).toHaveLength(120);
    expect(new Set(claimed).size).toBe(120);
  });

  it('is a unique index too: two claims that do not see each other take one place once', async () => {
    await limit({ noop: 1 });
    const first = await queue.enqueue('noop');
    const second = await queue.enqueue('noop');
    // A claim of somebody else that is not committed yet: not to be seen, but in the index.
    const session = await queue.database.connect();
    await session.query('begin');
    await session.query(
      `update tend.tasks set state = 'running', lease_owner = 'x:1:::', lease_token = gen_random_uuid(),
              lease_until = now() + interval '1 min', limit_place = 1 where id = $1`,
      [first],
    );
    const claiming = queue.claim();
    await queue.untilBlocked();
    await session.query('commit');
    await session.end();
    expect(await claiming).toEqual([]);
    expect(await queue.task(second)).toMatchObject({ state: 'waiting', attempt: 0 });
  });

  it('that is reached at the head of the queue starves no other kind', async () => {
    await limit({ noop: 2 });
    await enqueueMany(100, ', priority => -5');
    const others = [await queue.enqueue('other'), await queue.enqueue('other')];
    const kinds = ['noop', 'other'];
    expect(await queue.claim({ kinds, count: 4 })).toHaveLength(2);
    expect((await queue.claim({ kinds, count: 4 })).map(({ id }) => id)).toEqual(others);
    expect(await queue.claim({ kinds, count: 4 })).toEqual([]);
  });

  it('frees a place with the end of a task', async () => {
    await limit({ noop: 2 });
    await enqueueMany(4);
    const [first, second] = await queue.claim({ count: 10 });
    expect(await queue.claim({ count: 10 })).toEqual([]);
    await finish(first === undefined ? [] : [first]);
    expect(await queue.claim({ count: 10 })).toHaveLength(1);
    await finish(second === undefined ? [] : [second]);
    expect(await queue.claim({ count: 10 })).toHaveLength(1);
  });

  it('frees the places of a dead worker when it is reaped', async () => {
    await limit({ noop: 2 });
    await enqueueMany(4);
    const worker = workerIdentity('web2');
    expect(await queue.claim({ worker, count: 10 })).toHaveLength(2);
    expect(await queue.claim({ count: 10 })).toEqual([]);
    await reapLostTasks({ db: queue.db, deadOwners: [worker.owner] });
    expect(await queue.claim({ count: 10 })).toHaveLength(2);
  });

  it('that is lowered counts what began under the old one', async () => {
    await limit({ noop: 4 });
    await enqueueMany(10);
    const claimed = await queue.claim({ count: 10 });
    expect(claimed).toHaveLength(4);
    await limit({ noop: 2 });
    // Those with the lowest places end first: what remains has places above the new limit.
    await finish(claimed.slice(0, 2));
    expect(await queue.claim({ count: 10 })).toEqual([]);
    await finish(claimed.slice(2, 3));
    expect(await queue.claim({ count: 10 })).toHaveLength(1);
    await finish(claimed.slice(3));
    expect(await queue.claim({ count: 10 })).toHaveLength(1);
  });

  it('that is raised, or taken away, lets more run', async () => {
    await limit({ noop: 1 });
    await enqueueMany(10);
    expect(await queue.claim({ count: 10 })).toHaveLength(1);
    await limit({ noop: 3 });
    expect(await queue.claim({ count: 10 })).toHaveLength(2);
    await limit({ noop: null });
    expect(await queue.claim({ count: 10 })).toHaveLength(7);
  });

  it('that is new counts what runs already', async () => {
    await enqueueMany(5);
    await queue.claim({ count: 2 });
    await limit({ noop: 3 });
    expect(await queue.claim({ count: 10 })).toHaveLength(1);
    expect(await queue.claim({ count: 10 })).toEqual([]);
  });

  it('with a mutex in the same batch: both hold', async () => {
    await limit({ noop: 3 });
    await enqueueMany(6, `, mutex => 'm' || n % 2`);
    expect(await queue.claim({ count: 10 })).toHaveLength(2);
    const free = [await queue.enqueue('noop'), await queue.enqueue('noop')];
    expect((await queue.claim({ count: 10 })).map(({ id }) => id)).toEqual(free.slice(0, 1));
  });

  it('is not held by a task that merely waits in its worker for a free slot', async () => {
    await limit({ noop: 3 });
    await enqueueMany(4);
    const { db, worker } = queue;
    const claim = { db, worker, leaseMs: 60_000, kinds: ['noop'], count: 100, startable: 1 };
    expect(await claimDueTasks(claim)).toHaveLength(1);
    expect(await count(`state = 'running'`)).toBe(1);
  });

  it('is kept by a tick that works off trivial tasks in batches', async () => {
    await enqueueMany(150);
    const others = await queue.database.query(`select tend.enqueue('other') from generate_series(1, 50)`);
    let running = 0;
    const seen: number[] = [];
    const watch: Handler = async () => {
      running += 1;
      seen.push(running, await count(`state = 'running' and kind = 'noop'`));
      running -= 1;
      return { outcome: 'succeeded' };
    };
    const report = await queue.tick({ noop: { run: watch, maxRunning: 2 }, other: succeed });
    expect(report).toMatchObject({ succeeded: 150 + others.length, failed: 0 });
    expect(Math.max(...seen)).toBe(2);
  });
});

describe('a task that a person starts', () => {
  it('is above the limit of its kind, and counts for those that come after', async () => {
    await limit({ noop: 1 });
    await enqueueMany(3);
    await queue.claim();
    const { db, worker } = queue;
    const byHand = await claimTask({ db, worker, leaseMs: 60_000, kinds: ['noop'], id: 2, hostLimit: 1 });
    expect(byHand).toMatchObject({ id: 2 });
    const kind = fakeKinds({ noop: { run: succeed, maxRunning: 1 } }).get('noop');
    if (kind === undefined) throw new Error('no kind');
    await startTaskNow({ db, worker, kind, payload: {}, leaseMs: 60_000 });
    await queue.database.query(`update tend.tasks set state = 'cancelled', finished_at = now(), lease_owner = null,
      lease_token = null, lease_until = null where id = 1`);
    expect(await queue.claim()).toEqual([]);
    expect(await count(`state = 'running' and limit_place is null and host_place is null`)).toBe(2);
  });

  it('is refused for what keeps it back, not for the limit and the time that do not', async () => {
    await limit({ noop: 1 });
    await queue.enqueue('noop', { mutex: 'm' });
    const id = await queue.enqueue('noop', { mutex: 'm', run_at: new Date(Date.now() + 3_600_000) });
    await queue.claim();
    const { db, worker } = queue;
    const claiming = claimTask({ db, worker, leaseMs: 60_000, kinds: ['noop'], id });
    await expect(claiming).rejects.toThrow(/^Task 2 cannot be run now: mutex "m" is held by task 1 [^;]*$/);
  });
});

describe('a limit of a host', () => {
  it('holds over ticks of one host that overlap, and leaves other hosts alone', async () => {
    await enqueueMany(200);
    const seen: number[] = [];
    const elsewhere: number[] = [];
    const claimed = await race({
      workers: workersOn('web1', 'web1', 'web1', 'web1', 'web2', 'web2'),
      claim: { count: 4, hostLimit: (worker) => (worker.host === 'web1' ? 3 : undefined) },
      async look(tasks) {
        seen.push(await count(`state = 'running' and starts_with(lease_owner, 'web1:')`));
        if (tasks[0]?.owner.startsWith('web2:') === true) elsewhere.push(tasks.length);
      },
    });
    expect(Math.max(...seen)).toBeLessThanOrEqual(3);
    expect(Math.max(...elsewhere)).toBe(4);
    expect(new Set(claimed).size).toBe(200);
    expect(claimed).toHaveLength(200);
  });

  it('holds over all kinds, together with the limit of one', async () => {
    await limit({ noop: 2 });
    for (const kind of ['noop', 'other', 'noop', 'other', 'noop', 'other']) await queue.enqueue(kind);
    const claim = { kinds: ['noop', 'other'], hostLimit: 3 };
    expect((await queue.claim({ ...claim, count: 10 })).map(({ kind }) => kind)).toEqual([
      'noop',
      'other',
      'noop',
    ]);
    expect(await queue.claim({ ...claim, count: 10 })).toEqual([]);
    const other = workerIdentity('web2');
    expect((await queue.claim({ ...claim, worker: other, count: 10 })).map(({ kind }) => kind)).toEqual([
      'other',
      'other',
    ]);
  });

  it('holds for ticks at once: each runs what the others leave it', async () => {
    await enqueueMany(60);
    const seen: number[] = [];
    const watch: Handler = async () => {
      seen.push(await count(`state = 'running'`));
      return { outcome: 'succeeded' };
    };
    const tick = () => queue.tick({ noop: watch }, { context: queue.context({ tasks: { max_running: 2 } }) });
    const reports = await Promise.all([tick(), tick(), tick()]);
    expect(Math.max(...seen)).toBe(2);
    // A tick that finds its host full ends, as one that finds nothing due; those that work go on to the end.
    expect(reports.reduce((sum, { succeeded }) => sum + succeeded, 0)).toBe(60);
  });

  it('counts what runs on the host without a place: begun before there was a limit, or by a person', async () => {
    await enqueueMany(5);
    await queue.claim({ count: 2 });
    expect(await queue.claim({ count: 10, hostLimit: 3 })).toHaveLength(1);
    expect(await queue.claim({ count: 10, hostLimit: 3 })).toEqual([]);
    expect(await queue.claim({ count: 10, hostLimit: 3, worker: workerIdentity(`${host}2`) })).toHaveLength(
      2,
    );
  });
});
