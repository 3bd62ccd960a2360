import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mailMessageSchema } from '../../src/mail/compose/mail-message.ts';
import { tellAlerts } from '../../src/monitoring/tell-alerts.ts';
import { createQueue, type Queue } from '../tasks/support/queue.ts';

let queue: Queue;

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => await queue.clear());

const query = async (text: string, values: unknown[] = []) => await queue.database.query(text, values);
const tell = async (db = queue.db) =>
  await tellAlerts({ db, to: ['ops@example.org'], keyPrefix: 'tend:alert:' });

/** Alerts of so many kinds, each with a failed task behind it. */
async function breakKinds(count: number): Promise<void> {
  await query(
    `with broken as (
       insert into tend.tasks (kind, state, reason, finished_at, last_error)
       select 'kind' || n, 'failed', 'permanent error', now(), 'no luck' from generate_series(1, $1) n returning id, kind
     )
     insert into tend.alerts (kind, last_task_id) select kind, id from broken`,
    [count],
  );
}

async function messages() {
  return await query(
    `select payload, unique_key, priority from tend.tasks where kind = 'send-mail' order by id`,
  );
}

async function firstText(): Promise<string> {
  const [message] = await messages();
  return String(message?.['payload'].text);
}

describe('alerts that are due', () => {
  it('are each told once, whoever asks at once', async () => {
    await breakKinds(30);
    const handles = await Promise.all(Array.from({ length: 6 }, () => queue.database.openDatabase()));
    try {
      const counts = await Promise.all(handles.map((db) => tell(db)));
      expect(counts.reduce((sum, count) => sum + count)).toBe(30);
    } finally {
      await Promise.all(handles.map((db) => db.destroy()));
    }
    expect(await messages()).toHaveLength(30);
    expect(await tell()).toBe(0);
  });

  it('are all told, however many', async () => {
    await breakKinds(120);
    expect(await tell()).toBe(120);
  });

  it('are told before other mail, and the message is known from the alert', async () => {
    await breakKinds(1);
    await tell();
    expect(await messages()).toMatchObject([{ priority: -1000, unique_key: 'tend:alert:kind1::' }]);
    expect(
      await query(
        'select a.mail_task_id = t.id as known from tend.alerts a, tend.tasks t where t.kind = $1',
        ['send-mail'],
      ),
    ).toEqual([{ known: true }]);
  });

  it('may have the longest names, and odd ones', async () => {
    await breakKinds(1);
    const [kind, schedule, host] = ['k'.repeat(63), `a\nb${'s'.repeat(197)}`, 'h'.repeat(200)];
    await query('update tend.alerts set kind = $1, schedule = $2, host = $3', [kind, schedule, host]);
    await tell();
    const [message] = await messages();
    expect(v.parse(mailMessageSchema, message?.['payload'])).toMatchObject({
      subject: expect.stringContaining('(a bsss'),
    });
  });
});

describe('the message', () => {
  it('has the end of a long log, and says where the rest is', async () => {
    await breakKinds(1);
    const [task] = await query('select id from tend.tasks');
    await query(
      `insert into tend.attempts (task_id, token, attempt, owner, started_at, outcome, exit_code, error, output_tail)
       select $1, gen_random_uuid(), n, 'web1:7:k:1:r', now() - interval '1 min' * (13 - n), 'failed', n, 'try ' || n,
              (select string_agg('line ' || l, e'\\n' order by l) from generate_series(1, 5000) l) || e'\\nhint: ask ann\\n'
         from generate_series(1, 12) n`,
      [task?.['id']],
    );
    await tell();
    const text = await firstText();
    expect(text.length).toBeLessThan(25_000);
    expect(text).toContain(`(its end; all of it: tend tasks show ${task?.['id']}):\n  line `);
    expect(text).toContain('  line 5000\n  hint: ask ann\n');
    const attempts = [...text.matchAll(/^ {2}(\d+)\. .* on web1:7, .*, failed, exit code \d+: try \d+$/gm)];
    expect(attempts.map(([, attempt]) => Number(attempt))).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
  });

  it('does not quote the payload of the task', async () => {
    await breakKinds(1);
    await query(`update tend.tasks set payload = '{"to": "patient@example.org"}'`);
    await tell();
    expect(await firstText()).not.toContain('patient');
  });

  it('of a task that was deleted since names no command for it', async () => {
    await breakKinds(1);
    await tell();
    await query(`delete from tend.tasks; update tend.alerts set due_at = now()`);
    await tell();
    const text = await firstText();
    expect(text).toMatch(/^Last failure: {3}task \d+, deleted since$/m);
    expect(text).not.toContain('tasks show');
  });
});
