import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrateUp } from '../../src/database/migrate.ts';
import * as queueMigration from '../../src/database/migrations/0001-queue.ts';
import { adoptCopy, type UnfinishedChoice, unfinishedChoices } from '../../src/tasks/adopt-copy.ts';
import { finishAttempts } from '../../src/tasks/finish-attempts.ts';
import { createTestDatabase } from '../support/database.ts';
import { createQueue, ending, type Queue } from '../tasks/support/queue.ts';
import { createApplicationRole } from './support.ts';

let queue: Queue;
const query = async (sql: string, params: unknown[] = []) => await queue.database.query(sql, params);

beforeAll(async () => {
  queue = await createQueue();
});
afterAll(async () => await queue[Symbol.asyncDispose]());
beforeEach(async () => {
  await queue.clear();
  await query('truncate tend.schedules, tend.pauses, tend.app_health');
  await makeCopy();
});

/** What a clone looks like from inside: its queue says that it belongs to another database. */
async function makeCopy(): Promise<void> {
  await query('update tend.meta set database_oid = 1');
}

async function adopt(unfinished: UnfinishedChoice): Promise<number> {
  const [row] = await query('select tend.adopt($1)::int as changed', [unfinished]);
  return row?.changed;
}

/** Puts a task of kind noop (or another) into a condition of the original; returns its id. */
const conditions = {
  waiting: async (kind = 'noop') => await queue.enqueue(kind),
  future: async (kind = 'noop') => await queue.enqueue(kind, { run_at: '2099-01-01' }),
  running: async (kind = 'noop') => {
    const id = await queue.enqueue(kind);
    await queue.claim({ kinds: [kind] });
    return id;
  },
  retrying: async (kind = 'noop') => {
    const id = await queue.enqueue(kind);
    const claimed = await queue.claim({ kinds: [kind] });
    const failed = ending({ outcome: 'failed', state: 'waiting', delayMs: 3_600_000, error: 'e' });
    await finishAttempts({ db: queue.db, endings: claimed.map((task) => ({ task, ending: failed })) });
    return id;
  },
  postponed: async (kind = 'noop') => {
    const id = await queue.enqueue(kind);
    const claimed = await queue.claim({ kinds: [kind] });
    const later = ending({ outcome: 'postponed', state: 'waiting', delayMs: 3_600_000, isCounted: false });
    await finishAttempts({ db: queue.db, endings: claimed.map((task) => ({ task, ending: later })) });
    return id;
  },
  'held by the original': async (kind = 'noop') => {
    const id = await queue.enqueue(kind);
    const claimed = await queue.claim({ kinds: [kind] });
    const unknown = ending({ outcome: 'unknown', state: 'held', reason: 'outcome unknown: no reply' });
    await finishAttempts({ db: queue.db, endings: claimed.map((task) => ({ task, ending: unknown })) });
    return id;
  },
} as const;
type Condition = keyof typeof conditions;

/** As a restore leaves them: see holdRestoredTasks. */
async function holdByRestore(): Promise<void> {
  const { holdRestoredTasks } = await import('../../src/backups/cut-over/queue-schema.ts');
  await holdRestoredTasks(queue.db, { id: '20261122T023000Z-7f3a', taskId: null });
}

interface Case {
  condition: Condition;
  kind?: string;
  hold: string;
  cancel: string;
  run: string;
}

const cases: Case[] = [
  { condition: 'waiting', hold: 'held', cancel: 'cancelled', run: 'waiting' },
  { condition: 'future', hold: 'held', cancel: 'cancelled', run: 'waiting' },
  { condition: 'retrying', hold: 'held', cancel: 'cancelled', run: 'waiting' },
  { condition: 'postponed', hold: 'held', cancel: 'cancelled', run: 'waiting' },
  { condition: 'running', hold: 'held', cancel: 'cancelled', run: 'held' },
  { condition: 'held by the original', hold: 'held', cancel: 'held', run: 'held' },
  { condition: 'waiting', kind: 'send-mail', hold: 'held', cancel: 'cancelled', run: 'held' },
  { condition: 'retrying', kind: 'send-mail', hold: 'held', cancel: 'cancelled', run: 'held' },
  { condition: 'running', kind: 'send-mail', hold: 'held', cancel: 'cancelled', run: 'held' },
];
const everyChoice = cases.flatMap((one) =>
  unfinishedChoices.map((choice) => ({ kind: 'noop', ...one, choice, becomes: one[choice] })),
);

describe('a task of the original', () => {
  it.each(everyChoice)('$condition, of kind $kind, is $becomes after $choice', async (given) => {
    const { condition, kind, choice, becomes } = given;
    const id = await conditions[condition](kind);
    await adopt(choice);
    expect(await queue.task(id)).toMatchObject({ state: becomes, lease_owner: null, lease_token: null });
  });

  it.each(everyChoice)(
    '$condition, of kind $kind, and held by a restore, is $becomes after $choice',
    async (given) => {
      const { condition, kind, choice, becomes } = given;
      const id = await conditions[condition](kind);
      await holdByRestore();
      expect(await queue.task(id)).toMatchObject({ state: 'held' });
      await adopt(choice);
      expect(await queue.task(id)).toMatchObject({ state: becomes, lease_owner: null, lease_token: null });
    },
  );

  it.each(unfinishedChoices)('that has ended stays as it was: %s', async (choice) => {
    const id = await queue.enqueue('noop');
    await query(
      `update tend.tasks set state = 'failed', finished_at = now(), reason = 'restored' where id = $1`,
      [id],
    );
    expect(await adopt(choice)).toBe(0);
    expect(await queue.task(id)).toMatchObject({ state: 'failed', reason: 'restored' });
  });

  it('keeps the time it is due at, and one that was held past it is due now', async () => {
    const past = await queue.enqueue('noop', { run_at: '2020-01-01' });
    const future = await conditions.future();
    await holdByRestore();
    await adopt('run');
    expect((await queue.task(future)).run_at).toEqual(new Date('2099-01-01T00:00:00Z'));
    expect((await queue.task(past)).run_at.getFullYear()).toBeGreaterThan(2020);
  });

  it.each([false, true])(
    'running: its attempt is on record as of unknown outcome, once; held by a restore before: %s',
    async (isRestored) => {
      const id = await conditions.running();
      if (isRestored) await holdByRestore();
      await adopt('hold');
      expect(await queue.attempts(id)).toMatchObject([
        {
          attempt: 1,
          outcome: 'unknown',
          owner: queue.worker.owner,
          error: expect.stringContaining('in the middle'),
        },
      ]);
      expect((await queue.task(id)).reason).toMatch(/^restored.* in the middle of an attempt$/);
    },
  );
});

describe('tasks with one unique key', () => {
  it('of several that were held, the newest waits', async () => {
    const older = await queue.enqueue('noop', { unique_key: 'k' });
    await holdByRestore();
    const newer = await queue.enqueue('noop', { unique_key: 'k' });
    await holdByRestore();
    expect(await adopt('run')).toBe(1);
    expect([(await queue.task(older)).state, (await queue.task(newer)).state]).toEqual(['held', 'waiting']);
  });

  it('one that waits already stays the one that waits', async () => {
    const held = await queue.enqueue('noop', { unique_key: 'k' });
    await holdByRestore();
    const waiting = await queue.enqueue('noop', { unique_key: 'k' });
    expect(await adopt('run')).toBe(1);
    expect([(await queue.task(held)).state, (await queue.task(waiting)).state]).toEqual(['held', 'waiting']);
  });

  it('a mail that waits does not keep the place of another kind', async () => {
    const held = await queue.enqueue('noop', { unique_key: 'k' });
    await holdByRestore();
    const mail = await queue.enqueue('send-mail', { unique_key: 'k' });
    await adopt('run');
    expect([(await queue.task(held)).state, (await queue.task(mail)).state]).toEqual(['waiting', 'held']);
  });

  it.each(unfinishedChoices)('a running one and its waiting successor: %s', async (choice) => {
    const running = await queue.enqueue('noop', { unique_key: 'k' });
    await queue.claim();
    const successor = await queue.enqueue('noop', { unique_key: 'k' });
    await adopt(choice);
    const becomes = { hold: ['held', 'held'], cancel: ['cancelled', 'cancelled'], run: ['held', 'waiting'] };
    expect([(await queue.task(running)).state, (await queue.task(successor)).state]).toEqual(becomes[choice]);
  });
});

describe('it returns', () => {
  it.each([
    ['hold', 4],
    ['cancel', 4],
    ['run', 1],
  ] as const)('how many tasks it has decided about, or lets run: %s', async (choice, count) => {
    await conditions.running();
    await conditions.waiting();
    await conditions.waiting('send-mail');
    await conditions['held by the original']('other');
    await conditions.running('another');
    expect(await adopt(choice)).toBe(count);
  });
});

async function schedule(name: string, options: { kind?: string; host?: string; isEnabled?: boolean } = {}) {
  const { kind = 'noop', host, isEnabled = true } = options;
  await query(
    `insert into tend.schedules (name, source, declared_by, cron, kind, enabled, disabled_reason, next_slot, defined_at,
       last_slot, conflict)
     values ($1, $2, $3, '0 4 * * *', $4, $5, $6, '2020-01-01', '2020-01-01', '2020-01-01', 'a conflict there')`,
    [
      name,
      host === undefined ? 'sql' : 'config',
      host === undefined ? [] : [host],
      kind,
      isEnabled,
      isEnabled ? null : 'noisy',
    ],
  );
}

describe('a schedule of the original', () => {
  const fresh = `next_slot = '-infinity' and defined_at > now() - interval '1 hour' and last_slot is null and conflict is null`;
  const states = async () =>
    await query(
      `select name, enabled, disabled_reason as reason, ${fresh} as "isFresh" from tend.schedules order by name`,
    );

  it.each(['hold', 'cancel'] as const)(
    'made by SQL is disabled, and does not know of slots of the past: %s',
    async (choice) => {
      await schedule('a');
      await schedule('b', { isEnabled: false });
      await adopt(choice);
      expect(await states()).toEqual([
        { name: 'a', enabled: false, reason: 'adopted copy', isFresh: true },
        { name: 'b', enabled: false, reason: 'noisy', isFresh: true },
      ]);
    },
  );

  it('made by SQL goes on after run, from now, but for one that sends mail', async () => {
    await schedule('a');
    await schedule('b', { isEnabled: false });
    await schedule('mailing', { kind: 'send-mail' });
    await adopt('run');
    expect(await states()).toEqual([
      { name: 'a', enabled: true, reason: null, isFresh: true },
      { name: 'b', enabled: false, reason: 'noisy', isFresh: true },
      { name: 'mailing', enabled: false, reason: 'adopted copy: it sends mail', isFresh: true },
    ]);
  });

  it.each(unfinishedChoices)(
    'of a tend.toml goes until a host brings it, unless a person had disabled it: %s',
    async (choice) => {
      await schedule('declared', { host: 'web1' });
      await schedule('disabled', { host: 'web1', isEnabled: false });
      await adopt(choice);
      expect(await states()).toEqual([{ name: 'disabled', enabled: false, reason: 'noisy', isFresh: true }]);
    },
  );
});

describe('the database', () => {
  it('is its own afterwards: another identity, another epoch, no host, no memory of the application, nothing broken', async () => {
    await query(`insert into tend.hosts (host, last_worker) values ('web1', 'web1:1:::')`);
    await query(`insert into tend.app_health (host, failures) values ('web1', 2)`);
    await query(`insert into tend.alerts (kind, last_task_id) values ('noop', 1)`);
    await query(`insert into tend.pauses (scope, name) values ('kind', 'noop')`);
    const [before] = await query('select epoch, database_uuid from tend.meta');
    await adopt('hold');
    const [after] = await query(`select epoch, database_uuid, database_name = current_database() as "isNamed",
      tend.copied_from() is null as "isOwn", (select count(*)::int from tend.hosts) as hosts,
      (select count(*)::int from tend.app_health) as apps, (select count(*)::int from tend.alerts) as alerts, (select count(*)::int from tend.pauses) as pauses from tend.meta`);
    expect(after).toMatchObject({ isNamed: true, isOwn: true, hosts: 0, apps: 0, alerts: 0, pauses: 1 });
    expect(after?.epoch).toBe(before?.epoch + 1);
    expect(after?.database_uuid).not.toBe(before?.database_uuid);
  });

  it('is left as it is by a second call, whatever that one asks for', async () => {
    await adopt('hold');
    const everything = `select (select jsonb_agg(t order by id) from tend.tasks t) as tasks, (select jsonb_agg(s) from tend.schedules s)
      as schedules, (select jsonb_agg(h) from tend.hosts h) as hosts, (select to_jsonb(m) from tend.meta m) as meta`;
    await conditions.waiting();
    await schedule('a');
    await query(`insert into tend.hosts (host, last_worker) values ('staging1', 'staging1:1:::')`);
    const before = await query(everything);
    for (const choice of unfinishedChoices) expect(await adopt(choice)).toBe(0);
    expect(await query(everything)).toEqual(before);
  });

  it('is adopted once by two at once: the other waits, and finds it its own', async () => {
    await conditions.waiting();
    const first = await queue.database.connect();
    await first.query('begin');
    await first.query(`select tend.adopt('hold')`);
    const second = adoptCopy({ db: queue.db, unfinished: 'cancel' });
    await queue.untilBlocked();
    await first.query('commit');
    await first.end();
    expect(await second).toMatchObject({ isAdopted: false, changed: 0, found: { copiedFrom: null } });
    expect(await query('select distinct state from tend.tasks')).toEqual([{ state: 'held' }]);
  });

  it('can be adopted by its owner alone', async () => {
    await using application = await createApplicationRole(queue.database);
    expect(await application.codeOf('select tend.adopt()')).toBe('42501');
  });

  it('takes no other answer than hold, cancel and run', async () => {
    await expect(query(`select tend.adopt('resend')`)).rejects.toMatchObject({ code: '22023' });
    await expect(query(`select tend.adopt(null)`)).rejects.toMatchObject({ code: '22023' });
    expect(await query('select tend.copied_from() is null as "isOwn"')).toEqual([{ isOwn: false }]);
  });
});

it('a database of the first version can still be adopted without an argument after its update', async () => {
  await using database = await createTestDatabase({ empty: true });
  await using db = await database.openDatabase();
  await database.query(
    'create schema tend; create table tend.migrations (name text primary key, applied_at timestamptz not null default now())',
  );
  await queueMigration.up(db);
  await database.query(`insert into tend.migrations (name) values ('0001-queue')`);
  await database.query(`create function tend.adopt() returns bigint language sql as 'select 0::bigint'`);
  await migrateUp({ db });
  await database.query('update tend.meta set database_oid = 1');
  await database.query(`select tend.enqueue('noop')`);
  expect(await database.query('select tend.adopt()::int as held')).toEqual([{ held: 1 }]);
});
