import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { finishAttempts } from '../../src/tasks/finish-attempts.ts';
import { showTask } from '../../src/tasks/show-task.ts';
import { workerIdentity } from '../../src/tasks/worker-identity.ts';
import { createQueue, ending, type Queue } from '../tasks/support/queue.ts';
import { createApplicationRole } from './support.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => {
  await queue.clear();
  await queue.database.query(`
    insert into tend.hosts (host, last_tick_at, last_worker) values
      ('web2', now(), 'w'), ('web1', now() - interval '6 days', 'w'), ('web3', now(), 'w'),
      ('gone', now() - interval '8 days', 'w')`);
});

interface Row extends Record<string, unknown> {
  id: number;
  host: string;
}

/** The tasks of the queue in the order they were made. */
async function rows(columns = 'host'): Promise<Row[]> {
  return await queue.database.query<Row>(`select id::integer, ${columns} from tend.tasks order by id`);
}

/** SQLSTATE and message of a statement that fails. */
async function refusal(sql: string): Promise<{ code?: string; message: string; hint?: string }> {
  return await queue.database.query(sql).then(
    () => {
      throw new Error(`not refused: ${sql}`);
    },
    // What a failing statement throws is node-postgres's DatabaseError.
    (error: { code?: string; message: string; hint?: string }) => error,
  );
}

describe("host => '*'", () => {
  it('makes one task for every host that has ticked in the last seven days, all with the id of the first', async () => {
    const first = await queue.enqueue('noop', { host: '*', payload: { n: 1 }, priority: 3, queue: 'sites' });
    const each = { fan_out: String(first), payload: { n: 1 }, priority: 3, queue: 'sites', state: 'waiting' };
    expect(await rows('host, fan_out, payload, priority, queue, state')).toEqual([
      { id: first, host: 'web1', ...each },
      { id: first + 1, host: 'web2', ...each },
      { id: first + 2, host: 'web3', ...each },
    ]);
  });

  it('is refused where no host ticks, with a hint', async () => {
    await queue.database.query(`delete from tend.hosts where host <> 'gone'`);
    const refused = await refusal(`select tend.enqueue('noop', host => '*')`);
    expect(refused).toMatchObject({ code: '55000', hint: expect.stringContaining('tend run-due-tasks') });
    expect(refused.message).toBe('tend.enqueue: host "*" finds no host: none has ticked in the last 7 days');
    expect(await rows()).toEqual([]);
  });

  it('refuses what it refuses for one host, and leaves none of the tasks behind', async () => {
    for (const args of [`queue => ''`, `mutex => ''`, `run_at => 'infinity'`, `priority => 40000`]) {
      expect(await refusal(`select tend.enqueue('noop', host => '*', ${args})`)).toMatchObject({
        code: '22023',
      });
    }
    expect(await rows()).toEqual([]);
  });

  it('refuses a unique key that is too long with the host in it, and says so', async () => {
    const refused = await refusal(`select tend.enqueue('noop', host => '*', unique_key => repeat('k', 496))`);
    expect(refused).toMatchObject({ code: '22023', hint: 'With "@web1" it has more than 500.' });
    expect(refused.message).toContain('a unique_key of 496 bytes cannot be for host "*"');
    await queue.enqueue('noop', { host: '*', unique_key: 'k'.repeat(495) });
    expect(await rows()).toHaveLength(3);
  });

  it('is undone with its transaction', async () => {
    const session = await queue.database.connect();
    await session.query(`begin; select tend.enqueue('noop', host => '*'); rollback`);
    await session.end();
    expect(await rows()).toEqual([]);
  });

  it('belongs to the role that called, which needs nothing but EXECUTE', async () => {
    await using application = await createApplicationRole(queue.database);
    expect(await application.codeOf(`select tend.enqueue('noop', host => '*', unique_key => 'k')`)).toBe(
      'ok',
    );
    expect(await rows('host, created_by')).toMatchObject([
      { host: 'web1', created_by: application.name },
      { host: 'web2', created_by: application.name },
      { host: 'web3', created_by: application.name },
    ]);
  });
});

describe("a unique key with host => '*'", () => {
  it('replaces what waits, host by host', async () => {
    const args = { host: '*', unique_key: 'k' };
    const first = await queue.enqueue('noop', { ...args, payload: { n: 1 } });
    expect(await queue.enqueue('other', { ...args, payload: { n: 2 } })).toBe(first);
    const each = { kind: 'other', payload: { n: 2 }, fan_out: String(first) };
    expect(await rows('host, unique_key, kind, payload, fan_out')).toEqual([
      { id: first, host: 'web1', unique_key: 'k@web1', ...each },
      { id: first + 1, host: 'web2', unique_key: 'k@web2', ...each },
      { id: first + 2, host: 'web3', unique_key: 'k@web3', ...each },
    ]);
  });

  it('makes a successor where one runs, and the set of the second call is whole', async () => {
    const args = { host: '*', unique_key: 'k' };
    const first = await queue.enqueue('noop', args);
    expect(await queue.claim({ worker: workerIdentity('web1') })).toMatchObject([{ id: first }]);
    const second = await queue.enqueue('noop', args);
    const sets = await rows('host, fan_out, state');
    expect(
      sets
        .filter(({ fan_out }) => fan_out === String(second))
        .map(({ host }) => host)
        .toSorted(),
    ).toEqual(['web1', 'web2', 'web3']);
    expect(sets.find(({ id }) => id === first)).toMatchObject({ state: 'running', fan_out: String(first) });
  });

  it('and a task for one host alone with the same key: it is none of them any more', async () => {
    await queue.enqueue('noop', { host: '*', unique_key: 'k' });
    const alone = await queue.enqueue('noop', { host: 'web2', unique_key: 'k@web2' });
    expect((await showTask({ db: queue.db, id: alone })).siblings).toEqual([]);
  });

  it('raced for from many sessions: one task a host, no deadlock', async () => {
    const sessions = await Promise.all(Array.from({ length: 6 }, () => queue.database.connect()));
    await Promise.all(
      sessions.map(async (session) => {
        for (let round = 0; round < 10; round++)
          await session.query(`select tend.enqueue('noop', host => '*', unique_key => 'raced')`);
      }),
    );
    await Promise.all(sessions.map((session) => session.end()));
    expect((await rows()).map(({ host }) => host).toSorted()).toEqual(['web1', 'web2', 'web3']);
  });
});

describe('the tasks for every host', () => {
  it('are claimed by nobody but their host', async () => {
    await queue.enqueue('noop', { host: '*' });
    expect(await queue.claim({ worker: workerIdentity('stranger'), count: 10 })).toEqual([]);
    for (const host of ['web3', 'web1', 'web2']) {
      const claimed = await queue.claim({ worker: workerIdentity(host), count: 10 });
      expect(claimed).toHaveLength(1);
      expect(await queue.task(claimed[0]?.id ?? 0)).toMatchObject({ host });
    }
  });

  it('with a mutex run one host after the other', async () => {
    await queue.enqueue('noop', { host: '*', mutex: 'app' });
    const [web1, web2] = [workerIdentity('web1'), workerIdentity('web2')];
    const claimed = await queue.claim({ worker: web1, count: 10 });
    expect(claimed).toHaveLength(1);
    expect(await queue.claim({ worker: web2, count: 10 })).toEqual([]);
    await finishAttempts({ db: queue.db, endings: claimed.map((task) => ({ task, ending: ending() })) });
    expect(await queue.claim({ worker: web2, count: 10 })).toHaveLength(1);
  });

  it('know each other: tasks show lists them with their states, as far as they are kept', async () => {
    const first = await queue.enqueue('noop', { host: '*' });
    const claimed = await queue.claim({ worker: workerIdentity('web1') });
    await finishAttempts({ db: queue.db, endings: claimed.map((task) => ({ task, ending: ending() })) });
    const all = [
      { id: first, host: 'web1', state: 'succeeded' },
      { id: first + 1, host: 'web2', state: 'waiting' },
      { id: first + 2, host: 'web3', state: 'waiting' },
    ];
    expect(await showTask({ db: queue.db, id: first + 1 })).toMatchObject({ fanOut: first, siblings: all });
    await queue.database.query('delete from tend.tasks where id = $1', [first]);
    expect((await showTask({ db: queue.db, id: first + 1 })).siblings).toEqual(all.slice(1));
  });

  it('that a schedule enqueued know each other, too, and one for any host stands alone', async () => {
    await queue.database.query(`
      insert into tend.tasks (kind, host, schedule, slot_at) values
        ('noop', 'web1', 'nightly', '2026-01-01Z'), ('noop', 'web2', 'nightly', '2026-01-01Z'),
        ('noop', 'web1', 'nightly', '2026-01-02Z'), ('noop', null, 'hourly', '2026-01-01Z')`);
    const siblings = async (id: number) =>
      (await showTask({ db: queue.db, id })).siblings.map((task) => task.id);
    expect(await siblings(1)).toEqual([1, 2]);
    expect(await siblings(4)).toEqual([]);
    expect(await siblings(await queue.enqueue('noop'))).toEqual([]);
  });
});
