import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ClaimedTask } from '../../src/tasks/claim-due-tasks.ts';
import { type AttemptEnding, finishAttempts } from '../../src/tasks/finish-attempts.ts';
import { alertKeyPrefix } from '../../src/tasks/note-outcomes.ts';
import { statementsDuring } from '../support/server-log.ts';
import { createQueue, ending, type Queue } from './support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

const failed = { outcome: 'failed', state: 'failed', error: 'no luck', reason: 'permanent error' } as const;
const held = { outcome: 'unknown', state: 'held', reason: 'outcome unknown' } as const;
const retried = { outcome: 'failed', state: 'waiting', error: 'no luck' } as const;
const brokenKinds = new Set(['noop']);

/** One task for each ending, all written in one statement. */
async function finish(endings: readonly Partial<AttemptEnding>[], args: Record<string, unknown> = {}) {
  for (const _ of endings) await queue.enqueue('noop', args);
  const tasks: ClaimedTask[] = await queue.claim({ count: endings.length });
  const together = tasks.map((task, n) => ({ task, ending: ending(endings[n]) }));
  await finishAttempts({ db: queue.db, endings: together, brokenKinds });
  return tasks.map(({ id }) => id);
}

async function alerts(columns = 'phase, failures') {
  return await queue.database.query(`select ${columns} from tend.alerts order by kind, schedule, host`);
}

async function age(time: string): Promise<void> {
  const columns = ['broken_since', 'last_failed_at', 'recovered_at', 'due_at', 'last_mailed_at'];
  const moved = columns.map((column) => `${column} = ${column} - $1::interval`).join(', ');
  await queue.database.query(`update tend.alerts set ${moved}`, [time]);
}

describe('what failed for good or is held', () => {
  it.each([failed, held])('is noted as broken and due to be told: %j', async (how) => {
    const [id] = await finish([how]);
    expect(
      await alerts(
        'kind, schedule, host, phase, failures, last_task_id::int as task, due_at <= now() as due',
      ),
    ).toEqual([{ kind: 'noop', schedule: '', host: '', phase: 'broken', failures: 1, task: id, due: true }]);
  });

  it('is one row for many, with the newest task', async () => {
    const ids = await finish(Array.from({ length: 20 }, () => failed));
    expect(await alerts('failures, last_task_id::int as task')).toEqual([
      { failures: 20, task: Math.max(...ids) },
    ]);
  });

  it('moves no reminder', async () => {
    await finish([failed]);
    await queue.database.query(`update tend.alerts set due_at = '2099-01-01', last_mailed_at = now()`);
    await finish([failed, failed]);
    expect(await alerts('failures, due_at')).toEqual([
      { failures: 3, due_at: new Date('2099-01-01T00:00:00Z') },
    ]);
  });

  it('is noted for each host it is pinned to', async () => {
    await finish([failed], { host: 'testhost' });
    await finish([failed]);
    expect(await alerts('host, failures')).toEqual([
      { host: '', failures: 1 },
      { host: 'testhost', failures: 1 },
    ]);
  });

  it('is broken where others of the same statement succeeded', async () => {
    await finish([failed, {}, {}]);
    expect(await alerts()).toEqual([{ phase: 'broken', failures: 1 }]);
  });
});

it('a failure that will be tried again is none yet', async () => {
  await finish([retried]);
  expect(await alerts()).toEqual([]);
});

it('a message about an alert is not noted itself', async () => {
  await finish([failed], { unique_key: `${alertKeyPrefix}noop` });
  expect(await alerts()).toEqual([]);
});

it('a success of what is not broken does not look for alerts', async () => {
  await queue.enqueue('noop');
  const endings = (await queue.claim()).map((task) => ({ task, ending: ending() }));
  const statements = await statementsDuring(queue.database, async () => {
    await finishAttempts({ db: queue.db, endings });
  });
  expect(statements.map(({ text }) => text).join()).not.toContain('alerts');
});

describe('a success of what is broken', () => {
  it('is its recovery, due to be told', async () => {
    await finish([failed]);
    await finish([{}]);
    expect(await alerts('phase, failures, due_at <= now() as due')).toEqual([
      { phase: 'recovered', failures: 1, due: true },
    ]);
  });

  it('is none while another one is held for a person', async () => {
    await finish([held]);
    await finish([{}]);
    expect(await alerts()).toEqual([{ phase: 'broken', failures: 1 }]);
  });

  it('is told after a relapse only when it has held for a day', async () => {
    await finish([failed]);
    await finish([{}]);
    await queue.database.query(
      `update tend.alerts set phase = 'over', last_mailed_at = now(), due_at = now() + interval '1 day'`,
    );
    await finish([failed]);
    expect(await alerts('phase, is_relapse, failures, due_at <= now() as due, last_mailed_at')).toEqual([
      { phase: 'broken', is_relapse: true, failures: 1, due: true, last_mailed_at: null },
    ]);
    await queue.database.query(
      `update tend.alerts set last_mailed_at = now(), due_at = now() + interval '1 day'`,
    );
    await finish([{}]);
    expect(await alerts(`phase, due_at > now() + interval '23 hours' as "isLater"`)).toEqual([
      { phase: 'recovered', isLater: true },
    ]);
    await finish([failed]);
    expect(await alerts(`phase, failures, due_at > now() + interval '23 hours' as "isLater"`)).toEqual([
      { phase: 'broken', failures: 2, isLater: true },
    ]);
  });

  it('ends the story: what breaks days later is another one', async () => {
    await finish([failed, failed]);
    await finish([{}]);
    await age('3 days');
    await finish([failed]);
    expect(
      await alerts(`phase, failures, is_relapse, broken_since > now() - interval '1 hour' as "isNew"`),
    ).toEqual([{ phase: 'broken', failures: 1, is_relapse: false, isNew: true }]);
  });
});
