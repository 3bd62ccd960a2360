import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../../src/clock.ts';
import { type LoadedConfig, withoutConfig } from '../../../src/config/load-config.ts';
import { configSchema } from '../../../src/config/schema.ts';
import type { ConnectionSettings } from '../../../src/connection/settings.ts';
import { openDatabase } from '../../../src/database/open-database.ts';
import { TendError } from '../../../src/errors.ts';
import { silentLog } from '../../../src/log.ts';
import { SecretRegistry } from '../../../src/redact.ts';
import type { DoctorFacts } from '../../../src/report/doctor/doctor-check.ts';
import { doctorChecks } from '../../../src/report/doctor/doctor-checks.ts';
import { type DoctorReport, runChecks } from '../../../src/report/doctor/run-checks.ts';
import { beginTick } from '../../../src/tasks/begin-tick.ts';
import { finishAttempts } from '../../../src/tasks/finish-attempts.ts';
import { registerKinds } from '../../../src/tasks/register-kinds.ts';
import { createTestDatabase } from '../../support/database.ts';
import { placeRepairedClients } from '../../support/repaired-clients.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/temporary-directory.ts';
import { tickDatabase } from '../../support/tick-database.ts';
import { createQueue, ending, fakeKinds, host, type Queue, succeed } from '../../tasks/support/queue.ts';
import { thisProgram } from '../support/this-program.ts';

let queue: Queue;
let clients: TemporaryDirectory;

beforeAll(async () => {
  queue = await createQueue();
  clients = await temporaryDirectory();
  await placeRepairedClients(queue.database, clients.path);
});
afterAll(async () => {
  await queue[Symbol.asyncDispose]();
  await clients[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await queue.clear();
  await query('truncate tend.schedules, tend.pauses');
  await registerKinds({ db: queue.db, kinds: fakeKinds({ noop: succeed }) });
  await beginTick({
    ...tickDatabase(queue.db),
    worker: queue.worker,
    keepSucceededMs: 1e9,
    keepEndedMs: 1e9,
  });
});

const query = async (sql: string, params: unknown[] = []) => await queue.database.query(sql, params);

function loaded(): LoadedConfig {
  const config = parse(configSchema, { backup: { tools_directory: clients.path } });
  return { ...withoutConfig('/srv/cms'), config };
}

async function diagnose(given: Partial<DoctorFacts> = {}): Promise<DoctorReport> {
  const facts: DoctorFacts = {
    ...{
      loadedConfig: loaded(),
      configError: undefined,
      secrets: new SecretRegistry(),
      log: silentLog,
      program: thisProgram,
      host,
      env: process.env,
    },
    ...{ clock: systemClock, signal: new AbortController().signal },
    connection: async () => queue.database.connection,
    openDatabase: async () => queue.db,
    ...given,
  };
  return await runChecks({ checks: doctorChecks, facts });
}

/** What is not as it should be, and nothing else. */
async function complaints(given: Partial<DoctorFacts> = {}): Promise<DoctorReport['checks']> {
  return (await diagnose(given)).checks.filter(({ status }) => status !== 'ok');
}

it('is content with an installation that works, and makes every check', async () => {
  await queue.enqueue('noop');
  const { isOk, checks, skipped } = await diagnose();
  expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect({ isOk, skipped }).toEqual({ isOk: true, skipped: [] });
  expect(checks.map(({ name }) => name)).toEqual(doctorChecks.map(({ name }) => name));
});

const elsewhere = async (
  name: string,
  options: { lastMinutes: number; firstMinutes: number; ticks: number },
) =>
  await query(
    `insert into tend.hosts (host, last_worker, last_tick_at, first_seen_at, ticks)
     values ($1, 'w', now() - make_interval(mins => $2), now() - make_interval(mins => $3), $4)`,
    [name, options.lastMinutes, options.firstMinutes, options.ticks],
  );
const schedule = async (name: string, columns: Record<string, string>) => {
  const names = Object.keys(columns);
  await query(
    `insert into tend.schedules (name, source, cron, kind, ${names.join(', ')})
     values ($1, 'sql', '0 4 * * *', 'noop', ${names.map((_, index) => `$${index + 2}`).join(', ')})`,
    [name, ...Object.values(columns)],
  );
};
const overdue = async (minutes: number, kind = 'noop') => {
  const id = await queue.enqueue(kind);
  await query('update tend.tasks set run_at = now() - make_interval(mins => $2) where id = $1', [
    id,
    minutes,
  ]);
};
const finishAs = async (given: Parameters<typeof ending>[0]) => {
  await queue.enqueue('noop');
  const claimed = await queue.claim();
  await finishAttempts({ db: queue.db, endings: claimed.map((task) => ({ task, ending: ending(given) })) });
};

interface Trouble {
  what: string;
  cause: () => Promise<unknown>;
  name: string;
  status: 'warn' | 'fail';
  text: RegExp;
  fix: RegExp;
}

const cronLine = /\* \* \* \* \* {2}cd \/srv\/cms && tend run-due-tasks$/;
const silentHost = { lastMinutes: 130, firstMinutes: 9000, ticks: 9000 };

const queueTroubles: Trouble[] = [
  {
    what: 'no tick has ever run',
    cause: () => query('delete from tend.hosts'),
    ...{ name: 'ticks', status: 'fail', text: /^no tick has ever run$/, fix: cronLine },
  },
  {
    what: 'cron has stopped here',
    cause: () => query(`update tend.hosts set last_tick_at = now() - interval '1 hour'`),
    ...{ name: 'ticks', status: 'fail', text: /^no tick on host "testhost" for 1 h$/, fix: cronLine },
  },
  {
    what: 'nobody has ticked for weeks',
    cause: () => query(`update tend.hosts set last_tick_at = now() - interval '20 days'`),
    ...{
      name: 'ticks',
      status: 'fail',
      text: /^no tick for 20 d, the last on host "testhost"$/,
      fix: cronLine,
    },
  },
  {
    what: 'a task is due for long',
    cause: () => overdue(130),
    name: 'stuck-tasks',
    status: 'fail',
    text: /^1 due for more than 15 minutes, the oldest, 1 \(noop\), since 2 h 10 m$/,
    fix: /^tend tasks explain 1$/,
  },
  {
    what: 'a lease has ended',
    async cause() {
      const id = await queue.enqueue('noop');
      await queue.claim();
      await queue.expire(id);
    },
    name: 'stuck-tasks',
    status: 'fail',
    text: /^1 running under a lease that has ended, the oldest, 1 \(noop\)/,
    fix: /^tend tasks explain 1$/,
  },
  {
    what: 'a task is held',
    cause: () => finishAs({ outcome: 'unknown', state: 'held', reason: 'r' }),
    name: 'held-tasks',
    status: 'warn',
    text: /: 1 \(1 noop\)$/,
    fix: /^tend tasks --state held, then tend tasks resolve/,
  },
  {
    what: 'a task has failed today',
    cause: () => finishAs({ outcome: 'failed', state: 'failed' }),
    name: 'failed-tasks',
    status: 'warn',
    text: /^failed in the last day: 1 \(1 noop\)$/,
    fix: /tend tasks retry/,
  },
  {
    what: 'a kind is known to nobody',
    cause: () => queue.enqueue('make-coffee'),
    name: 'unknown-kinds',
    status: 'fail',
    text: /: 1 \(1 make-coffee\)$/,
    fix: /\[tasks\.kinds\.make-coffee\].*tend tasks --kind make-coffee$/,
  },
  {
    what: 'an occurrence was missed',
    cause: async () =>
      await query(
        `insert into tend.tasks (kind, state, reason, finished_at, schedule, slot_at)
         values ('noop', 'missed', 'missed: 9 h late', now(), 'nightly', now())`,
      ),
    name: 'missed-occurrences',
    status: 'warn',
    text: /: 1 \(1 nightly\)$/,
    fix: /^tend schedules show nightly;/,
  },
  {
    what: 'a schedule cannot be planned',
    cause: () => schedule('nightly', { next_slot: 'infinity', problem: 'minute 61' }),
    name: 'schedules',
    status: 'fail',
    text: /^"nightly" cannot be planned: minute 61$/,
    fix: /^tend schedules show nightly$/,
  },
  {
    what: 'a schedule is defined twice',
    cause: () => schedule('nightly', { conflict: 'tend.toml of web1 has one of this name' }),
    ...{ name: 'schedules', status: 'fail', text: /"nightly" is defined twice/, fix: /nightly$/ },
  },
  {
    what: 'a schedule is late',
    cause: () => schedule('nightly', { next_slot: '2026-01-01T02:30:00Z' }),
    ...{
      name: 'schedules',
      status: 'fail',
      text: /"nightly" should have run at 2026-01-01T02:30/,
      fix: /nightly$/,
    },
  },
  {
    what: 'a pause was forgotten',
    async cause() {
      await query(
        `insert into tend.pauses (scope, name, paused_at) values ('kind', 'noop', now() - interval '2 hours')`,
      );
      await queue.enqueue('noop');
    },
    ...{
      name: 'health',
      status: 'warn',
      text: /^kind "noop" is paused since .* with 1 due$/,
      fix: /^tend status$/,
    },
  },
];

describe('says what is wrong, and what puts it right, where', () => {
  it.each(queueTroubles)('$what', async ({ cause, name, status, text, fix }) => {
    await cause();
    expect(await complaints()).toEqual([
      { name, status, text: expect.stringMatching(text), fix: expect.stringMatching(fix) },
    ]);
  });

  it('nobody could be told that something is broken', async () => {
    await query(
      `with mail as (insert into tend.tasks (kind, state, reason, finished_at, last_error)
         values ('send-mail', 'cancelled', 'not wanted', now(), '550 no such user') returning id)
       insert into tend.alerts (kind, last_task_id, mail_task_id, last_mailed_at) select 'noop', 1, id, now() from mail`,
    );
    expect(await complaints()).toEqual([
      {
        name: 'failure-mail',
        status: 'fail',
        text: 'nobody could be told that noop is broken (message: task 1, cancelled: 550 no such user)',
        fix: expect.stringMatching(/^tend tasks show 1; .*tend tasks retry 1$/),
      },
    ]);
  });

  it.each(queueTroubles)('and so does tend.health, where $what', async ({ cause }) => {
    await cause();
    expect(await query('select ok from tend.health')).toEqual([{ ok: false }]);
  });

  it('another host has stopped ticking', async () => {
    await elsewhere('web2', silentHost);
    expect(await complaints()).toMatchObject([
      { name: 'ticks', status: 'fail', text: 'no tick on host "web2" for 2 h 10 m' },
    ]);
  });

  it('this host does not tick', async () => {
    expect(await complaints({ host: 'web9' })).toMatchObject([
      {
        name: 'ticks',
        status: 'warn',
        text: expect.stringMatching(/^no tick .* this host, "web9" \(testhost /),
      },
    ]);
  });

  it('a host was only ever called by hand', async () => {
    await elsewhere('web2', { lastMinutes: 1, firstMinutes: 120, ticks: 3 });
    expect(await complaints()).toMatchObject([
      { name: 'ticks', status: 'warn', text: 'host "web2" has ticked 3 times in 2 h: does cron call it?' },
    ]);
  });

  it('the clock of this host is wrong, either way', async () => {
    const shifted = (ms: number): Clock => ({ ...systemClock, now: () => new Date(Date.now() + ms) });
    expect(await complaints({ clock: shifted(30_000) })).toMatchObject([
      {
        name: 'clock',
        status: 'warn',
        text: expect.stringMatching(/^it is (29|30) s ahead of that of the database$/),
      },
    ]);
    expect(await complaints({ clock: shifted(-7_200_000) })).toMatchObject([
      {
        name: 'clock',
        status: 'fail',
        text: expect.stringMatching(/^it is .* behind that of the database$/),
      },
    ]);
  });

  it('the configuration cannot be read: nothing else is looked at', async () => {
    const configError = new TendError('CONFIG_INVALID', 'The configuration has 2 problems:\n  a: 1\n  b: 2');
    const { checks, skipped } = await diagnose({ configError });
    expect(checks).toMatchObject([
      { name: 'configuration', status: 'fail', text: 'The configuration has 2 problems: a: 1; b: 2' },
    ]);
    expect(skipped).toHaveLength(doctorChecks.length - 1);
  });

  it('the configuration says what nothing acts on', async () => {
    const loadedConfig = { ...loaded(), unknownVariables: ['TEND_BACKUP_DIRCTORY'] };
    expect(await complaints({ loadedConfig })).toMatchObject([
      {
        name: 'configuration',
        status: 'warn',
        text: expect.stringContaining('TEND_BACKUP_DIRCTORY names no setting'),
      },
    ]);
  });

  it('the database cannot be reached: what needs it is not looked at', async () => {
    const servers: ConnectionSettings['servers'] = [{ host: '127.0.0.1', port: 1 }];
    const settings = { ...queue.database.connection, servers };
    await using db = openDatabase({ connection: settings, applicationName: 'test' });
    const { checks, skipped } = await diagnose({
      connection: async () => settings,
      openDatabase: async () => db,
    });
    expect(checks.map(({ name, status }) => [name, status])).toEqual([
      ['database', 'fail'],
      ['configuration', 'ok'],
      ['cron-environment', 'ok'],
      // By the journals alone.
      ['unfinished-restore', 'ok'],
      ['backup-directory', 'ok'],
      ['mail-handshake', 'ok'],
      ['dkim', 'ok'],
      ['app', 'ok'],
    ]);
    expect(checks[0]?.text).toContain('cannot be reached');
    expect(skipped).toContain('pg-dump');
  });

  it('the database is a standby, where nothing can be written', async () => {
    await using standby = await createTestDatabase();
    await standby.query(
      `create schema played; create function played.pg_is_in_recovery() returns bool return true`,
    );
    await standby.query(`alter database ${standby.name} set search_path = played, pg_catalog`);
    await using db = await standby.openDatabase();
    const { checks } = await diagnose({ openDatabase: async () => db });
    expect(checks[0]).toMatchObject({
      ...{ name: 'database', status: 'fail', text: expect.stringContaining('it is a standby') },
      fix: expect.stringContaining('target_session_attrs=read-write'),
    });
  });

  it.each([
    ['missing', 'drop schema tend cascade', 'no schema "tend" yet', 'tend migrations up'],
    [
      'older',
      `delete from tend.migrations where name > '0001-z'`,
      '0002-schedules, 0003-backups, 0004-mail, 0005-activity, 0006-alerts pending',
      'tend migrations up',
    ],
    [
      'newer',
      `insert into tend.migrations values ('0999-future')`,
      'newer than this program',
      'Use the tend version',
    ],
  ])('the schema is %s', async (_what, sql, text, fix) => {
    await using database = await createTestDatabase();
    await database.query(sql);
    await using db = await database.openDatabase();
    const { checks, skipped } = await diagnose({ openDatabase: async () => db });
    expect(checks[0]).toMatchObject({
      ...{ name: 'schema', status: 'fail', text: expect.stringContaining(text) },
      fix: expect.stringContaining(fix),
    });
    expect(skipped).toContain('identity');
  });

  it('the database is a copy: its queue is not looked at', async () => {
    await using copy = await createTestDatabase();
    await copy.query('update tend.meta set database_oid = 1');
    await using db = await copy.openDatabase();
    const { checks, skipped } = await diagnose({ openDatabase: async () => db });
    expect(checks[0]).toMatchObject({
      ...{
        name: 'identity',
        status: 'fail',
        text: expect.stringContaining('is a copy'),
        fix: 'tend doctor --adopt',
      },
    });
    expect(skipped).toContain('ticks');
    expect(checks.map(({ name }) => name)).toContain('clock');
  });

  it.each([
    [false, 'warn'],
    [true, 'fail'],
  ])('pg_dump of the server’s major is missing; backups are taken here: %s', async (isBackedUp, status) => {
    await using empty = await temporaryDirectory();
    const backup = { tools_directory: empty.path, ...(isBackedUp && { directory: join(empty.path, 'b') }) };
    const loadedConfig: LoadedConfig = { ...withoutConfig('/'), config: parse(configSchema, { backup }) };
    const all = await complaints({ loadedConfig });
    expect(all.filter(({ name }) => name === 'pg-dump')).toMatchObject([
      { status, text: expect.stringMatching(/^No "pg_dump" of PostgreSQL \d+ was found/) },
    ]);
  });
});

it('warns of client programs with a hole that is known', async () => {
  await using old = await temporaryDirectory();
  await placeRepairedClients(queue.database, old.path);
  const path = join(old.path, 'psql');
  writeFileSync(path, readFileSync(path, 'utf8').replace('.99', '.1'));
  const config = parse(configSchema, { backup: { tools_directory: old.path } });
  expect(await complaints({ loadedConfig: { ...withoutConfig('/'), config } })).toMatchObject([
    {
      name: 'client-versions',
      status: 'warn',
      text: expect.stringMatching(/^\S*psql, psql \(PostgreSQL\) \d+\.1: CVE-/),
      fix: expect.stringMatching(/^apt-get update && apt-get install --only-upgrade postgresql-client-\d+$/),
    },
  ]);
});

it('does not complain of a host that has been out of service for more than a week', async () => {
  await elsewhere('web0', { ...silentHost, lastMinutes: 8 * 24 * 60, firstMinutes: 90_000 });
  expect(await complaints()).toEqual([]);
});

it('does not complain of a host that has just come, nor of one whose cron calls it every few minutes', async () => {
  await elsewhere('new', { lastMinutes: 0, firstMinutes: 2, ticks: 1 });
  await elsewhere('slow', { lastMinutes: 2, firstMinutes: 600, ticks: 150 });
  expect(await complaints()).toEqual([]);
});

it('does not complain of a schedule that a person has disabled', async () => {
  await schedule('nightly', { next_slot: 'infinity', problem: 'minute 61', enabled: 'false' });
  expect(await complaints()).toEqual([]);
});
