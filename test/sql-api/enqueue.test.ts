import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DeliveryStore } from '../../src/mail/delivery/delivery-store.ts';
import { finishAttempts } from '../../src/tasks/finish-attempts.ts';
import { createQueue, ending, type Queue } from '../tasks/support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

/** SQLSTATE and message of a statement that fails. */
async function refusal(sql: string): Promise<{ code?: string; message: string; hint?: string }> {
  try {
    await queue.database.query(sql);
  } catch (error) {
    // What a failing statement throws is node-postgres's DatabaseError.
    return error as { code?: string; message: string; hint?: string };
  }
  throw new Error(`not refused: ${sql}`);
}

async function waiting(): Promise<number> {
  const rows = await queue.database.query<{ count: number }>(
    `select count(*)::int as count from tend.tasks where state = 'waiting'`,
  );
  return rows[0]?.count ?? 0;
}

describe('tend.enqueue', () => {
  it('makes a waiting task, due now, with the defaults where nothing is known of its kind', async () => {
    const id = await queue.enqueue('nobody-knows-me');
    const task = await queue.task(id);
    expect(task).toMatchObject({
      ...{ kind: 'nobody-knows-me', state: 'waiting', queue: 'default', payload: {}, priority: 0 },
      ...{ attempt: 0, max_attempts: 5, on_lost: 'retry', unique_key: null, mutex: null, host: null },
    });
    expect(task.run_at).toEqual(task.created_at);
  });

  it('fills in mutex, attempts and on_lost of a kind that is registered', async () => {
    await queue.database.query(
      `insert into tend.kinds (kind, source, max_attempts, on_lost, mutex) values ('restore', 'built-in', 1, 'hold', 'db')`,
    );
    const usual = await queue.task(await queue.enqueue('restore'));
    expect(usual).toMatchObject({ max_attempts: 1, on_lost: 'hold', mutex: 'db' });
    const own = await queue.task(await queue.enqueue('restore', { mutex: 'mine', max_attempts: 3 }));
    expect(own).toMatchObject({ max_attempts: 3, on_lost: 'hold', mutex: 'mine' });
  });

  it('takes nulls for the defaults, as a driver passes them', async () => {
    const id = await queue.enqueue('noop', {
      ...{ run_at: null, queue: null, priority: null, unique_key: null, mutex: null, host: null },
      max_attempts: null,
    });
    expect(await queue.task(id)).toMatchObject({ queue: 'default', priority: 0, max_attempts: 5 });
  });

  it.each([
    [`null`, '22023', 'cannot be a kind'],
    [`''`, '22023', 'cannot be a kind'],
    [`'rm -rf /'`, '22023', 'cannot be a kind'],
    [`'Upper'`, '22023', 'cannot be a kind'],
    [`'${'x'.repeat(64)}'`, '22023', 'cannot be a kind'],
    [`'noop', '[1]'`, '22023', 'must be a JSON object, not array'],
    [`'noop', '"text"'`, '22023', 'must be a JSON object, not string'],
    [`'noop', 'null'`, '22023', 'must be a JSON object, not null'],
    [`'noop', '{"a": "\\u0000"}'`, '22P05', 'unsupported Unicode escape sequence'],
    [`'noop', priority => 40000`, '22023', 'priority 40000 is out of range'],
    [`'noop', max_attempts => 0`, '22023', 'max_attempts 0 is out of range'],
    [`'noop', max_attempts => 101`, '22023', 'max_attempts 101 is out of range'],
    [`'noop', host => '*'`, '55000', 'none has ticked in the last 7 days'],
    [`'noop', host => ''`, '22023', '"" cannot be a host'],
    [`'noop', host => 'a b'`, '22023', '"a b" cannot be a host'],
    [`'noop', host => 'web1:311'`, '22023', 'cannot be a host'],
    [`'noop', host => repeat('h', 201)`, '22023', 'cannot be a host'],
    [`'noop', queue => ''`, '22023', 'a queue of 0 bytes'],
    [`'noop', queue => repeat('q', 201)`, '22023', 'a queue of 201 bytes'],
    [`'noop', unique_key => ''`, '22023', 'a unique_key of 0 bytes'],
    [`'noop', unique_key => repeat('ż', 251)`, '22023', 'a unique_key of 502 bytes'],
    [`'noop', mutex => ''`, '22023', 'a mutex of 0 bytes'],
    [`'noop', mutex => repeat('m', 32000)`, '22023', 'a mutex of 32000 bytes'],
    [`'noop', run_at => 'infinity'`, '22023', 'run_at cannot be infinity'],
    [`'noop', run_at => '-infinity'`, '22023', 'run_at cannot be -infinity'],
    [`'noop', command => 'rm -rf /'`, '42883', 'does not exist'],
  ])('refuses %s', async (args, code, text) => {
    const refused = await refusal(`select tend.enqueue(${args})`);
    expect(refused.code).toBe(code);
    expect(refused.message).toContain(text);
    expect(await waiting()).toBe(0);
  });

  it('takes names of the greatest length, and their task can be claimed', async () => {
    const random = (bytes: number) => randomBytes(bytes).toString('hex').slice(0, bytes);
    const id = await queue.enqueue('noop', {
      ...{ queue: random(200), unique_key: random(500), mutex: random(200), host: queue.worker.host },
    });
    expect((await queue.claim()).map((task) => task.id)).toEqual([id]);
  });

  it.each([
    [`update tend.tasks set run_at = 'infinity'`, 'tasks_run_at_check'],
    [`update tend.tasks set mutex = repeat('m', 201)`, 'tasks_mutex_check'],
    [`update tend.tasks set mutex = ''`, 'tasks_mutex_check'],
    [`update tend.tasks set unique_key = repeat('k', 501)`, 'tasks_unique_key_check'],
    [`update tend.tasks set queue = ''`, 'tasks_queue_check'],
    [`update tend.tasks set host = 'a:b'`, 'tasks_host_check'],
    [`update tend.tasks set host = '*'`, 'tasks_host_check'],
  ])('and the table refuses the same of anybody: %s', async (sql, constraint) => {
    await queue.enqueue('noop');
    const refused = await refusal(sql);
    expect(refused.code).toBe('23514');
    expect(refused.message).toContain(constraint);
  });

  it('takes a payload of one megabyte', async () => {
    const text = 'ż'.repeat(500_000);
    expect((await queue.task(await queue.enqueue('noop', { payload: { text } }))).payload).toEqual({ text });
  });
});

describe('a unique key', () => {
  it('while its task waits: one row, and the newest arguments are the ones', async () => {
    const first = await queue.enqueue('noop', {
      unique_key: 'k',
      payload: { n: 1 },
      priority: 7,
      queue: 'slow',
    });
    const again = await queue.enqueue('other', { unique_key: 'k', payload: { n: 2 }, mutex: 'm' });
    expect(again).toBe(first);
    expect(await queue.task(first)).toMatchObject({
      ...{ kind: 'other', payload: { n: 2 }, priority: 0, queue: 'default', mutex: 'm', state: 'waiting' },
    });
    expect(await waiting()).toBe(1);
  });

  it('while its task runs: a successor is made, and the running one is not touched', async () => {
    const first = await queue.enqueue('noop', { unique_key: 'k', payload: { n: 1 } });
    const [claimed] = await queue.claim();
    const second = await queue.enqueue('noop', { unique_key: 'k', payload: { n: 2 } });
    expect(second).not.toBe(first);
    expect(await queue.task(first)).toMatchObject({
      ...{ state: 'running', payload: { n: 1 }, lease_token: claimed?.token },
    });
    expect(await queue.task(second)).toMatchObject({ state: 'waiting', payload: { n: 2 } });
  });

  it('while its task waits to be retried: replaced, with all its attempts', async () => {
    const id = await queue.enqueue('noop', { unique_key: 'k', payload: { n: 1 } });
    const endings = (await queue.claim()).map((task) => ({
      task,
      ending: ending({ outcome: 'failed', state: 'waiting', delayMs: 3_600_000, error: 'no luck' }),
    }));
    await finishAttempts({ db: queue.db, endings });
    expect(await queue.task(id)).toMatchObject({ state: 'waiting', attempt: 1, last_error: 'no luck' });
    expect(await queue.enqueue('noop', { unique_key: 'k', payload: { n: 2 } })).toBe(id);
    const task = await queue.task(id);
    expect(task).toMatchObject({ attempt: 0, payload: { n: 2 }, last_error: null, reason: null });
    expect(task.run_at.getTime()).toBeLessThanOrEqual(Date.now() + 60_000);
    expect(await queue.attempts(id)).toHaveLength(1);
  });

  describe('of a message that an earlier attempt composed: the new payload is what will be sent', () => {
    const compose = async (state: string) => {
      const id = await queue.enqueue('send-mail', { unique_key: 'digest', payload: { subject: 'old' } });
      await queue.database.query(
        `insert into tend.deliveries (task_id, message_id, envelope_from, recipients, raw, state)
         values ($1, 'm', 'a@b', '[]', 'old', $2)`,
        [id, state],
      );
      return id;
    };

    it.each(['composed', 'refused'])('one in state "%s", which reached nobody, goes', async (state) => {
      await compose(state);
      await queue.enqueue('send-mail', { unique_key: 'digest', payload: { subject: 'new' } });
      expect(await queue.database.query('select from tend.deliveries')).toEqual([]);
    });

    it.each(['committing', 'unknown', 'partly-sent', 'sent'])(
      'one in state "%s", which may have reached somebody, stays as a record of no task',
      async (state) => {
        const id = await compose(state);
        expect(await queue.enqueue('send-mail', { unique_key: 'digest', payload: { subject: 'new' } })).toBe(
          id,
        );
        expect(await queue.database.query('select task_id, state from tend.deliveries')).toEqual([
          { task_id: null, state },
        ]);
        expect(await new DeliveryStore(queue.db).find(id)).toBeUndefined();
      },
    );
  });

  it('after its task has ended: a new row', async () => {
    const first = await queue.enqueue('noop', { unique_key: 'k' });
    const endings = (await queue.claim()).map((task) => ({ task, ending: ending() }));
    await finishAttempts({ db: queue.db, endings });
    expect(await queue.enqueue('noop', { unique_key: 'k' })).not.toBe(first);
  });

  it('raced for from many sessions: one row, no deadlock', async () => {
    const sessions = await Promise.all(Array.from({ length: 8 }, () => queue.database.connect()));
    const ids = await Promise.all(
      sessions.map(async (session, index) => {
        const seen: string[] = [];
        for (let round = 0; round < 20; round++) {
          const { rows } = await session.query<{ id: string }>(
            `select tend.enqueue('noop', $1, unique_key => 'raced') as id`,
            [{ index, round }],
          );
          seen.push(rows[0]?.id ?? '');
        }
        return seen;
      }),
    );
    await Promise.all(sessions.map((session) => session.end()));
    expect(new Set(ids.flat()).size).toBe(1);
    expect(await waiting()).toBe(1);
  });

  it('twice among many in one statement does not lose the others', async () => {
    const keys = [null, 'a', 'b', 'a', null, 'c', 'a'];
    await queue.database.query(
      `select tend.enqueue('noop', jsonb_build_object('place', place), unique_key => key)
         from unnest($1::text[]) with ordinality as given (key, place)`,
      [keys],
    );
    const rows = await queue.database.query<{ unique_key: string | null; place: number }>(
      `select unique_key, (payload->>'place')::int as place from tend.tasks order by place`,
    );
    expect(rows.map(({ unique_key, place }) => [unique_key, place])).toEqual([
      ...[
        [null, 1],
        ['b', 3],
        [null, 5],
        ['c', 6],
        ['a', 7],
      ],
    ]);
  });
});

describe('a task enqueued in a transaction', () => {
  it('never runs when that is rolled back', async () => {
    const session = await queue.database.connect();
    await session.query(`begin; select tend.enqueue('noop', unique_key => 'r')`);
    expect(await queue.claim()).toEqual([]);
    await session.query('rollback');
    await session.end();
    expect(await queue.claim()).toEqual([]);
    expect(await queue.database.query('select from tend.tasks')).toEqual([]);
  });

  it('runs once that is committed, and not before', async () => {
    const session = await queue.database.connect();
    await session.query(`begin; select tend.enqueue('noop')`);
    expect(await queue.claim()).toEqual([]);
    await session.query('commit');
    await session.end();
    expect(await queue.claim()).toHaveLength(1);
  });
});
