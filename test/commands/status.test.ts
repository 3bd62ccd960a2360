import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createQueueSite, json, type QueueSite } from '../e2e/queue-site.ts';
import { runCliOnTerminal } from '../support/run-cli.ts';

let site: QueueSite;
const query = async (sql: string) => await site.database.query(sql);

beforeAll(async () => {
  site = await createQueueSite('[tasks]\nhost = "web1"\n');
  await site.tend(['migrations', 'up']);
});
afterAll(async () => await site[Symbol.asyncDispose]());
beforeEach(async () => {
  await query('truncate tend.tasks, tend.attempts, tend.hosts, tend.schedules, tend.pauses cascade');
  await query(`insert into tend.hosts (host, last_worker, last_busy_at, last_outcome)
    values ('web1', 'web1:1:::', now(), '3 succeeded')`);
});

it('shows everything on one screen: tables with tabs when piped, sections without a row left out', async () => {
  await query(`insert into tend.schedules (name, source, cron, kind, next_slot, last_slot)
    values ('nightly', 'sql', '30 2 * * *', 'noop', '2099-01-02T02:30Z', '2026-01-01T02:30Z')`);
  await query(`insert into tend.tasks (kind, state, finished_at, schedule, slot_at, created_at)
    values ('noop', 'succeeded', now(), 'nightly', '2026-01-01T02:30Z', now())`);
  const { exitCode, stdout, stderr } = await site.tend(['status']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const sections = stdout.split('\n\n').map((section) =>
    section
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => line.split('\t')),
  );
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/);
  const server = sections.pop();
  expect(server).toEqual([
    ['SESSIONS OF TEND', 'OF ALL', 'MAX_CONNECTIONS', 'TAKEN'],
    ['1', expect.stringMatching(/^\d+$/), expect.stringMatching(/^\d+$/), expect.stringMatching(/^\d+%$/)],
  ]);
  expect(sections).toEqual([
    [[`Database "${site.database.name}": ok`]],
    [
      ['DUE', 'RUNNING', 'HELD', 'FAILED (1D)', 'MISSED (1D)', 'OLDEST DUE'],
      ['0', '0', '0', '0', '0', ''],
    ],
    [
      ['HOST', 'LAST TICK', 'AGO', 'RUNNING', 'LAST BUSY', 'OUTCOME'],
      ['web1', time, expect.stringMatching(/ m?s$/), '0', time, '3 succeeded'],
    ],
    [
      ['SCHEDULE', 'KIND', 'NEXT', 'LAST', 'LAST TASK', 'NOTE'],
      [
        'nightly',
        'noop',
        '2099-01-02 02:30:00Z',
        '2026-01-01 02:30:00Z',
        expect.stringMatching(/^\d+ succeeded$/),
        '',
      ],
    ],
  ]);
});

it('does not call broken for so long what works again and may only break once more', async () => {
  await query(`insert into tend.alerts (kind, phase, broken_since, recovered_at, due_at, last_task_id)
    values ('backup', 'recovered', now() - interval '2 hours', '2026-01-01T02:30Z', now() + interval '1 hour', 1)`);
  const { stdout } = await site.tend(['status']);
  await query('delete from tend.alerts');
  expect(stdout).toContain('\tworks since 2026-01-01 02:30:00Z\t');
});

it('names every problem first, and is exit code 0 all the same', async () => {
  await site.enqueue('make-coffee');
  await query(
    `insert into tend.pauses (scope, name, reason, paused_by) values ('kind', 'make-coffee', 'no beans', 'ann')`,
  );
  await query(`insert into tend.schedules (name, source, cron, kind, enabled, disabled_reason)
    values ('b', 'sql', '0 4 * * *', 'noop', false, E'too\\tnoisy')`);
  const { exitCode, stdout } = await site.command(['status']);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^Database "\w+": 1 problem\n {2}1 due of a kind nobody knows\n\nDUE\t/);
  expect(stdout).toMatch(/\nb\tnoop\t\t\t\tdisabled: too noisy\n/);
  expect(stdout).toMatch(
    /\nPAUSED\tNAME\tSINCE\tBY\tDUE\tREASON\nkind\tmake-coffee\t[^\t]+Z\tann\t1\tno beans\n\n/,
  );
});

it('aligns its tables on a terminal', async () => {
  const { exitCode, stdout } = await runCliOnTerminal(['status', '--no-color'], { cwd: site.path });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^HOST {2}LAST TICK {13}AGO .*\r\nweb1 {2}\d{4}-/m);
  expect(stdout).not.toContain('\t');
});

it('has stable keys under --json', async () => {
  await query(
    `insert into tend.schedules (name, source, cron, kind) values ('nightly', 'sql', '30 2 * * *', 'noop')`,
  );
  await query(`insert into tend.pauses (scope, name) values ('queue', 'media')`);
  const result = await site.command(['status', '--json']);
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  const time = expect.stringMatching(/^\d{4}-.*Z$/);
  expect(json(result)).toEqual({
    ...{ checkedAt: time, database: site.database.name, copiedFrom: null, isOk: true, problems: [] },
    alerts: [],
    tasks: {
      ...{ due: 0, running: 0, held: 0, failedLastDay: 0, missedLastDay: 0 },
      ...{ oldestDueAt: null, oldestDueAgeMs: null },
    },
    hosts: [
      {
        ...{ host: 'web1', lastTickAt: time, lastTickAgeMs: expect.any(Number), firstSeenAt: time, ticks: 1 },
        ...{ lastBusyAt: time, lastOutcome: '3 succeeded', running: 0 },
      },
    ],
    schedules: [
      {
        ...{
          name: 'nightly',
          source: 'sql',
          declaredBy: [],
          cron: '30 2 * * *',
          timezone: 'UTC',
          kind: 'noop',
        },
        ...{
          host: null,
          isEnabled: true,
          disabledReason: null,
          nextSlot: null,
          isLate: false,
          lastSlot: null,
        },
        ...{ lastTask: null, lastState: null, lastFinishedAt: null, problem: null, conflict: null },
      },
    ],
    pauses: [
      { scope: 'queue', name: 'media', reason: null, pausedAt: time, pausedBy: expect.any(String), due: 0 },
    ],
    backups: {
      ...{ count: 0, newest: null, lastGood: null, lastVerified: null },
      ...{ sizes: [], lastRestoreTest: null, recoveryMs: null },
      ...{ isScheduled: false, installedMs: expect.any(Number) },
    },
    mail: { waiting: 0, deferred: 0, held: 0, unknown: 0, failingServers: [] },
    translations: { catalogs: 0, failed: [] },
    sessions: { ofTend: 1, total: expect.any(Number), maxConnections: expect.any(Number) },
  });
});

it('tells ages in JSON in whole milliseconds', async () => {
  await site.enqueue('make-coffee');
  await query(`insert into tend.alerts (kind, broken_since, due_at, last_task_id)
    values ('backup', now() - interval '2.3456789 hours', now() + interval '1 hour', 1)`);
  await query(`insert into tend.mail_servers (name, settings_fingerprint, failing_since, failures, failure_class)
    values ('relay', 'x', now() - interval '1.23456789 hours', 1, 'server')`);
  const { stdout } = await site.command(['status', '--json']);
  const { stdout: sessions } = await site.command(['connections', '--json']);
  await query('delete from tend.alerts; delete from tend.mail_servers');
  const ages = [...(stdout + sessions).matchAll(/"(\w+Ms)": ([\d.]+)/g)];
  expect(ages.map(([, name]) => name)).toEqual(
    expect.arrayContaining(['lastTickAgeMs', 'oldestDueAgeMs', 'brokenMs', 'failingMs', 'oldestMs']),
  );
  expect(ages.filter(([, , value]) => !/^\d+$/.test(value ?? ''))).toEqual([]);
});

it('--check is one line and exit code 0 where all is well', async () => {
  const { exitCode, stdout, stderr } = await site.command(['status', '--check']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toMatch(/^ok: 1 host, last tick [\d.]+ m?s ago, 0 due, 0 running\n$/);
});

it('--check is one line and exit code 4 where something is wrong, in JSON too', async () => {
  await site.enqueue('make-coffee');
  await query(`update tend.hosts set last_tick_at = now() - interval '1 hour'`);
  const { exitCode, stdout, stderr } = await site.command(['status', '--check']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 4, stderr: '' });
  expect(stdout).toMatch(/^problem: no tick for 01:00:\d\d; 1 due of a kind nobody knows\n$/);
  const inJson = await site.command(['status', '--check', '--json']);
  expect(inJson.exitCode).toBe(4);
  expect(json(inJson)).toMatchObject({ isOk: false, tasks: { due: 1 } });
});

it('--check is exit code 4 in a copy, where nothing runs', async () => {
  await query('update tend.meta set database_oid = database_oid::bigint + 1');
  try {
    const { exitCode, stdout } = await site.command(['status', '--check']);
    expect(exitCode).toBe(4);
    expect(stdout).toMatch(/^problem: the database is a copy: .*tend doctor --adopt/);
  } finally {
    await query('update tend.meta set database_oid = database_oid::bigint - 1');
  }
});

it('needs a database with the schema: exit code 78', async () => {
  await query('alter table tend.migrations rename to hidden');
  try {
    const result = await site.command(['status', '--check', '--json']);
    expect(result.exitCode).toBe(78);
    expect(json(result)).toMatchObject({ error: { code: 'SCHEMA_MISSING', hint: 'tend migrations up' } });
  } finally {
    await query('alter table tend.hidden rename to migrations');
  }
});

it('--check is one line on stdout and the exit code of the error where the database is down or without the schema', async () => {
  const env = { TEND_DATABASE_URL: 'postgresql://cms@127.0.0.1:1/cms' };
  const down = await site.tend(['status', '--check'], { env });
  expect(down.exitCode).toBe(69);
  expect(down.stdout).toMatch(/^problem: .*127\.0\.0\.1.*\n$/);
  const inJson = await site.tend(['status', '--check', '--json'], { env });
  expect(inJson.exitCode).toBe(69);
  expect(json(inJson)).toEqual({
    error: {
      ...{ code: 'DATABASE_UNREACHABLE', hint: expect.any(String), exitCode: 69 },
      message: down.stdout.slice('problem: '.length, -1),
    },
  });
  const other = { TEND_DATABASE_URL: site.database.url.replace(/\/[^/?]*(?=\?|$)/, '/postgres') };
  const bare = await site.tend(['status', '--check'], { env: other });
  expect(bare.exitCode).toBe(78);
  expect(bare.stdout).toMatch(/^problem: .*schema.*\n$/);
  expect((await site.tend(['status'], { env })).stdout).toBe('');
});

it('--watch redraws on a terminal, ends at Ctrl-C with exit code 130, and leaves no session', async () => {
  const { exitCode, stdout } = await runCliOnTerminal(['status', '--watch'], {
    ...{ cwd: site.path, stdin: '\u0003', typedAt: 'MAX_CONNECTIONS' },
  });
  expect(exitCode).toBe(130);
  expect(stdout).toContain('\u001b[H\u001b[J');
  expect(stdout).toMatch(/HOST/);
  expect(await site.sessions()).toEqual([]);
});

it('--watch is wrong usage without a terminal', async () => {
  const { exitCode, stderr } = await site.command(['status', '--watch']);
  expect(exitCode).toBe(64);
  expect(stderr).toContain('is no terminal');
});

it('--check judges by [monitor.thresholds], without a warning that nothing acts on them', async () => {
  await site.configure('[tasks]\nhost = "web1"\n[monitor.thresholds]\ntick_age = "2h"\nbackup_age = "26h"\n');
  try {
    await query(`update tend.hosts set last_tick_at = now() - interval '1 hour'`);
    const { exitCode, stdout, stderr } = await site.command(['status', '--check']);
    expect({ exitCode, stdout, stderr }).toEqual({
      ...{ exitCode: 4, stdout: 'problem: there is no good backup\n', stderr: '' },
    });
  } finally {
    await site.configure('[tasks]\nhost = "web1"\n');
  }
});
