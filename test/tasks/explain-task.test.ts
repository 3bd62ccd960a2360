import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { explainTask } from '../../src/tasks/explain-task.ts';
import { finishAttempts } from '../../src/tasks/finish-attempts.ts';
import { registerKinds } from '../../src/tasks/register-kinds.ts';
import { createQueue, ending, fakeKinds, host, type Queue, succeed } from './support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => {
  await queue.clear();
  await queue.tick({ noop: succeed });
});

async function explain(id: number) {
  return await explainTask({ db: queue.db, id, knownKinds: ['noop'], host });
}

/** The texts of the reasons, those that block marked with `!`, ages left out. */
async function reasonsOf(id: number): Promise<string[]> {
  const { reasons } = await explain(id);
  return reasons.map(
    ({ blocks, text }) => `${blocks ? '! ' : ''}${text.replaceAll(/\d+(\.\d+)? ?(ms|s|m|h|d)\b/g, '…')}`,
  );
}

const change = async (sql: string) => await queue.database.query(`update tend.tasks set ${sql}`);

async function ended(given: Parameters<typeof ending>[0]): Promise<number> {
  const id = await queue.enqueue('noop');
  const claimed = await queue.claim();
  await finishAttempts({ db: queue.db, endings: claimed.map((task) => ({ task, ending: ending(given) })) });
  return id;
}

describe('a waiting task', () => {
  it('that nothing keeps from running says so', async () => {
    const id = await queue.enqueue('noop');
    expect(await explain(id)).toMatchObject({ id, kind: 'noop', state: 'waiting', willRun: true });
    expect(await reasonsOf(id)).toEqual(['it is due since …', 'kind "noop" is known on testhost']);
  });

  it('says everything that keeps it from running at once', async () => {
    await queue.enqueue('noop', { mutex: 'db' });
    await queue.claim();
    const id = await queue.enqueue('stranger', {
      ...{ run_at: new Date(Date.now() + 3_600_000), host: 'web2', mutex: 'db' },
    });
    expect(await explain(id)).toMatchObject({ willRun: false });
    expect(await reasonsOf(id)).toEqual([
      expect.stringMatching(/^! it is not due for another …/),
      '! kind "stranger" is not known on any host: add [tasks.kinds.stranger] to tend.toml, or cancel the task',
      '! it is pinned to host "web2", and this is "testhost"',
      `! mutex "db" is held by task 1 (noop) on testhost:${process.pid} since …`,
      'no tick has ever run on host "web2": does cron call tend run-due-tasks?',
    ]);
  });

  it('tells a kind nobody knows from one that another host knows', async () => {
    await registerKinds({ db: queue.db, kinds: fakeKinds({ elsewhere: succeed }) });
    const reasons = await reasonsOf(await queue.enqueue('elsewhere'));
    expect(reasons.join('\n')).toContain('not known on testhost, though another host registered it');
  });

  it('says what stands before it, what it tried, and that its mutex is free', async () => {
    await queue.enqueue('noop', { priority: -1 });
    const id = await queue.enqueue('noop', { mutex: 'db', host });
    await change(`attempt = 2, last_error = 'no luck' where id = ${id}`);
    expect(await reasonsOf(id)).toEqual([
      ...['it is due since …', 'kind "noop" is known on testhost', 'it is pinned to this host, testhost'],
      ...['mutex "db" is free', '2 of 5 attempts are used; the last failed: no luck'],
      '1 due tasks come before it',
    ]);
  });

  it('says that no tick comes by', async () => {
    const id = await queue.enqueue('noop');
    await queue.database.query(`update tend.hosts set last_tick_at = now() - interval '1 hour'`);
    expect((await reasonsOf(id)).at(-1)).toBe(
      'no tick on any host for …: does cron call tend run-due-tasks?',
    );
  });
});

describe('a task that does not wait', () => {
  it('runs: where, since when, and how long its lease lasts', async () => {
    const id = await queue.enqueue('noop');
    await queue.claim();
    await queue.database.query('select tend.cancel($1)', [id]);
    const worker = `testhost:${process.pid}`;
    expect(await reasonsOf(id)).toEqual([
      `! it is running on ${worker} since …; its lease lasts another …; cancel was requested`,
    ]);
    await queue.expire(id);
    expect((await reasonsOf(id))[0]).toContain('its lease ended … ago, so the next tick takes it back');
  });

  it.each([
    ['succeeded', {}, '! it succeeded … ago'],
    [
      ...([
        'failed',
        { outcome: 'failed', state: 'failed', error: 'no luck', reason: 'no attempts left' },
      ] as const),
      '! it failed … ago: no attempts left; last error: no luck; run it again with: tend tasks retry ID',
    ],
    [
      ...(['held', { outcome: 'unknown', state: 'held', reason: 'outcome unknown: no reply' }] as const),
      '! it is held: outcome unknown: no reply; a person decides with: tend tasks resolve ID',
    ],
    [
      ...([
        'cancelled',
        { outcome: 'cancelled', state: 'cancelled', reason: 'cancel was requested' },
      ] as const),
      '! it was cancelled … ago: cancel was requested; run it again with: tend tasks retry ID',
    ],
  ] as const)('has %s: why, and what a person can do', async (_state, given, text) => {
    const id = await ended(given);
    expect(await reasonsOf(id)).toEqual([text.replace('ID', String(id))]);
  });

  it('is not there', async () => {
    await expect(explain(4711)).rejects.toMatchObject({ code: 'TASK_NOT_FOUND', exitCode: 66 });
  });
});
