import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createQueueSite, json, type QueueSite, scriptKind, tcpUrl } from '../e2e/queue-site.ts';
import { createTestDatabase } from '../support/database.ts';
import { runCli } from '../support/run-cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { testRun } from '../support/test-run.ts';

let site: QueueSite;

beforeAll(async () => {
  site = await createQueueSite(
    [
      scriptKind('slow', 'sleep 1.5'),
      scriptKind('fails', 'exit 1', { max_attempts: 1 }),
      scriptKind('log', 'echo "$TEND_TASK_ID" >> order'),
    ].join(''),
  );
  await site.tend(['migrations', 'up']);
});
afterAll(async () => await site[Symbol.asyncDispose]());
beforeEach(async () => {
  await site.database.query('delete from tend.tasks');
});

async function states(): Promise<Record<string, unknown>> {
  const rows = await site.database.query<{ id: string; state: string; attempt: number }>(
    'select id, state, attempt from tend.tasks order by id',
  );
  return Object.fromEntries(rows.map(({ id, state, attempt }) => [id, `${state} ${attempt}`]));
}

const tickKeys = [
  ...['succeeded', 'failed', 'held', 'retried', 'cancelled', 'released', 'lost', 'unwritten'],
  ...['tasks', 'isIdle', 'reaped', 'pruned', 'nextDueAt'],
];

describe('the result', () => {
  it('of an idle tick is nothing at all: cron has nothing to mail', async () => {
    expect(await site.tend(['run-due-tasks'])).toEqual({ exitCode: 0, signal: null, stdout: '', stderr: '' });
  });

  it('of an idle tick has all keys under --json, and says when something is due next', async () => {
    await site.enqueue('noop', {}, { run_at: '2099-01-01T00:00:00Z' });
    const result = json(await site.tend(['run-due-tasks', '--json']));
    expect(Object.keys(result)).toEqual(expect.arrayContaining(tickKeys));
    expect(result).toMatchObject({
      isIdle: true,
      nextDueAt: '2099-01-01T00:00:00.000Z',
      tasks: [],
      reaped: [],
    });
  });

  it('counts, and lists each task with its attempt, outcome, state, error and duration', async () => {
    const fine = await site.enqueue('noop');
    const bad = await site.enqueue('fails');
    const ended = await site.tend(['run-due-tasks', '--json']);
    expect(ended.exitCode).toBe(3);
    const result = json(ended);
    expect(result).toMatchObject({ succeeded: 1, failed: 1, retried: 0, isIdle: false });
    expect(result['tasks']).toHaveLength(2);
    expect(result['tasks']).toEqual(
      expect.arrayContaining([
        {
          id: fine,
          kind: 'noop',
          attempt: 1,
          outcome: 'succeeded',
          state: 'succeeded',
          error: null,
          durationMs: expect.any(Number),
        },
        {
          ...{ id: bad, kind: 'fails', attempt: 1, outcome: 'failed', state: 'failed' },
          error: '"/bin/sh" failed with exit code 1.',
          durationMs: expect.any(Number),
        },
      ]),
    );
  });

  it('is told to a person with -v, one line a task', async () => {
    const id = await site.enqueue('noop');
    const { stdout } = await site.tend(['run-due-tasks', '-v']);
    expect(stdout).toMatch(
      new RegExp(`^Task ${id} \\(noop\\) succeeded in \\d+ ms\nTick: 1 succeeded\\.\n$`),
    );
  });
});

describe('what runs', () => {
  it('is everything due, by priority, then due time, then id; what is not due stays', async () => {
    const late = await site.enqueue('log', {}, { priority: 5 });
    const second = await site.enqueue('log', {}, { run_at: '2020-01-02' });
    const first = await site.enqueue('log', {}, { run_at: '2020-01-01' });
    const urgent = await site.enqueue('log', {}, { priority: -1 });
    const future = await site.enqueue('log', {}, { run_at: '2099-01-01' });
    await site.tend(['run-due-tasks', '--concurrency', '1']);
    expect((await site.lines('order')).map(Number)).toEqual([urgent, first, second, late]);
    expect(await site.task(future)).toMatchObject({ state: 'waiting', attempt: 0 });
  });

  it('is at most --limit tasks', async () => {
    for (let count = 0; count < 5; count++) await site.enqueue('noop');
    expect(json(await site.tend(['run-due-tasks', '--limit', '3', '--json']))).toMatchObject({
      succeeded: 3,
    });
    expect(Object.values(await states()).filter((state) => state === 'waiting 0')).toHaveLength(2);
  });

  it('is only of the queues and kinds that are named', async () => {
    const mail = await site.enqueue('noop', {}, { queue: 'mail' });
    const slow = await site.enqueue('slow', {}, { queue: 'mail' });
    const other = await site.enqueue('noop', {}, { queue: 'other' });
    const fallback = await site.enqueue('noop');
    await site.tend(['run-due-tasks', '--queue', 'mail', '--queue', 'other', '--kind', 'noop']);
    expect(await states()).toEqual({
      [mail]: 'succeeded 1',
      [slow]: 'waiting 0',
      [other]: 'succeeded 1',
      [fallback]: 'waiting 0',
    });
  });

  it('is exactly one task with --task, due or not', async () => {
    const future = await site.enqueue('noop', {}, { run_at: '2099-01-01' });
    const due = await site.enqueue('noop');
    await site.tend(['run-due-tasks', '--task', String(future)]);
    expect(await states()).toEqual({ [future]: 'succeeded 1', [due]: 'waiting 0' });
  });

  it('is no task that does not exist, has ended or is pinned elsewhere: the error says why', async () => {
    const ended = await site.enqueue('noop');
    await site.tend(['run-due-tasks', '--task', String(ended)]);
    const pinned = await site.enqueue('noop', {}, { host: 'elsewhere' });
    for (const [id, exitCode, message] of [
      [999_999, 66, 'There is no task 999999.'],
      [ended, 1, `Task ${ended} cannot be run now: it succeeded`],
      [pinned, 1, `Task ${pinned} cannot be run now: it is pinned to host "elsewhere"`],
    ] as const) {
      const result = await site.tend(['run-due-tasks', '--task', String(id), '--json']);
      expect(result.exitCode).toBe(exitCode);
      expect(json(result)).toMatchObject({ error: { message: expect.stringContaining(message), exitCode } });
    }
  });

  it('is what was claimed before the deadline; the rest waits for the next tick, uncounted', async () => {
    for (let count = 0; count < 3; count++) await site.enqueue('slow');
    const result = await site.tend(['run-due-tasks', '--deadline', '1s', '--concurrency', '1']);
    expect(result.exitCode).toBe(0);
    const seen = Object.values(await states());
    expect(seen.filter((state) => state === 'succeeded 1').length).toBeLessThanOrEqual(1);
    expect(seen.filter((state) => state === 'waiting 0').length).toBeGreaterThanOrEqual(2);
  });

  it('is everything with --drain, whatever the deadline in the configuration', async () => {
    const env = { TEND_TASKS_DEADLINE: '1ms' };
    for (let count = 0; count < 30; count++) await site.enqueue('noop');
    await site.tend(['run-due-tasks', '--drain'], { env });
    expect(new Set(Object.values(await states()))).toEqual(new Set(['succeeded 1']));
  });
});

describe('--dry-run', () => {
  it('says what would run and what would not and why, tab-separated when piped, and changes nothing', async () => {
    const fine = await site.enqueue('noop');
    const pinned = await site.enqueue('noop', {}, { host: 'elsewhere' });
    const unknown = await site.enqueue('make-coffee');
    const mail = await site.enqueue('noop', {}, { queue: 'mail' });
    await site.enqueue('noop', {}, { run_at: '2099-01-01' });
    const before = await site.database.query('select * from tend.hosts');
    const { stdout, exitCode } = await site.tend(['run-due-tasks', '--dry-run', '--queue', 'default']);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    expect(exitCode).toBe(0);
    expect(rows[0]).toEqual(['ID', 'KIND', 'QUEUE', 'DUE SINCE', 'PLAN']);
    expect(rows.slice(1).map(([id, , , , plan]) => [Number(id), plan])).toEqual([
      [fine, 'would run'],
      [pinned, 'blocked: other host'],
      [unknown, 'blocked: unknown kind'],
      [mail, 'blocked: filtered out'],
    ]);
    expect(Object.values(await states()).every((state) => state === 'waiting 0')).toBe(true);
    expect(await site.database.query('select * from tend.hosts')).toEqual(before);
  });

  it('has a stable object under --json', async () => {
    const id = await site.enqueue('noop');
    const result = json(await site.tend(['run-due-tasks', '--dry-run', '--json']));
    expect(result).toEqual({
      dryRun: true,
      wouldReap: [],
      due: [
        {
          ...{ id, kind: 'noop', queue: 'default', runAt: expect.stringMatching(/Z$/) },
          ...{ blockedBy: null, resumedBy: null },
        },
      ],
    });
  });
});

describe('wrong usage is exit code 64', () => {
  it.each([
    [['--limit', '0']],
    [['--limit', 'many']],
    [['--concurrency', '201']],
    [['--deadline', 'soon']],
    [['--drain', '--deadline', '1s']],
    [['--no-such-flag']],
    [['surplus']],
  ])('%j', async (args) => {
    const { exitCode, stdout, stderr } = await site.tend(['run-due-tasks', ...args]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expect(stderr).toMatch(/^tend: /);
  });
});

describe('a tick that cannot start', () => {
  it.each([
    ['no server listens', 'postgresql://u@127.0.0.1:1/db?sslmode=disable'],
    ['the socket’s directory does not exist', 'postgresql://u@/db?host=/no/such/place'],
  ])('because %s is exit code 69', async (_name, url) => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'tend.toml'), `[database]\nurl = "${url}"\n`);
    const result = await runCli(['run-due-tasks', '--json'], { cwd: directory.path });
    expect(result.exitCode).toBe(69);
    expect(json(result)).toMatchObject({
      error: { code: 'DATABASE_UNREACHABLE', exitCode: 69, hint: expect.any(String) },
    });
  });

  it('because the password is wrong is exit code 77, and does not show the password', async () => {
    const env = {
      TEND_DATABASE_URL: tcpUrl({ connection: site.database.connection, password: 'canary-secret' }),
    };
    const result = await site.tend(['run-due-tasks', '-vv'], { env });
    expect(result.exitCode).toBe(77);
    expect(result.stderr).toContain(`refused user "${testRun().superuser}"`);
    expect(result.stdout + result.stderr).not.toContain('canary');
    const asJson = await site.tend(['run-due-tasks', '--json'], { env });
    expect(json(asJson)).toMatchObject({ error: { code: 'DATABASE_PERMISSION', exitCode: 77 } });
    expect(asJson.stdout + asJson.stderr).not.toContain('canary');
  });

  it('runs over TCP with the right one', async () => {
    const url = tcpUrl({ connection: site.database.connection, password: testRun().password });
    const result = await site.tend(['run-due-tasks'], { env: { TEND_DATABASE_URL: url } });
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('because no database is configured is exit code 78', async () => {
    const result = await runCli(['run-due-tasks', '--json']);
    expect(result.exitCode).toBe(78);
    expect(json(result)).toMatchObject({ error: { code: 'DATABASE_NOT_CONFIGURED' } });
  });

  it.each([
    ['an unknown key', '[tasks]\nlease = "2s"\nconcurency = 2\n', 'tasks.concurency', 3],
    ['a bad value', '[tasks]\nlease = "soon"\n', 'tasks.lease', 2],
    ['a command that is a shell line', '[tasks.kinds.x]\ncommand = "rm -rf"\n', 'tasks.kinds.x.command', 2],
  ])(
    'because tend.toml holds %s is exit code 78, naming file, line and key',
    async (_name, toml, key, line) => {
      await using directory = await temporaryDirectory();
      const file = join(directory.path, 'tend.toml');
      await writeFile(file, toml);
      const { exitCode, stderr } = await runCli(['run-due-tasks'], { cwd: directory.path });
      expect(exitCode).toBe(78);
      expect(stderr).toContain(`${file}:${line}`);
      expect(stderr).toContain(key);
    },
  );

  it.each([
    [['--kind', 'nop'], 'tend: --kind: this host knows no kind "nop"; did you mean "noop"?\n'],
    [
      ['--kind', 'noop', '--kind', 'nonsense', '--dry-run'],
      'tend: --kind: this host knows no kind "nonsense"\n',
    ],
    [
      ['--deadline', 'soon'],
      'tend: --deadline: "soon" is not a duration.\nhint: Write 90s, 10m, 6h or 7d.\n',
    ],
    [['--task', '99999999999999999999'], 'tend: --task: Expected an integer less than or equal to'],
    [['--limit', '99999999999999999999'], 'tend: --limit: Expected an integer less than or equal to'],
  ])('because %j is wrong usage is exit code 64, one line and the hint', async (flags, words) => {
    const { exitCode, stderr, stdout } = await site.tend(['run-due-tasks', ...flags]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expect(stderr.startsWith(words), stderr).toBe(true);
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
  });

  it('because schema "tend" is missing is exit code 78: a tick never migrates', async () => {
    await using database = await createTestDatabase({ empty: true });
    const env = { TEND_DATABASE_URL: database.url };
    const result = await site.tend(['run-due-tasks', '--json'], { env });
    expect(result.exitCode).toBe(78);
    expect(json(result)).toMatchObject({ error: { code: 'SCHEMA_MISSING', hint: 'tend migrations up' } });
    expect(await database.query(`select from pg_namespace where nspname = 'tend'`)).toEqual([]);
  });

  it('because the schema is newer than this program is exit code 78', async () => {
    await using database = await createTestDatabase();
    await database.query(`insert into tend.migrations (name) values ('9999-future')`);
    await database.query('update tend.meta set schema_version = 9999');
    await database.query('alter table tend.tasks rename to chores');
    for (const args of [['run-due-tasks'], ['run-due-tasks', '--dry-run']]) {
      const result = await site.tend([...args, '--json'], { env: { TEND_DATABASE_URL: database.url } });
      expect(result.exitCode).toBe(78);
      expect(json(result)).toMatchObject({
        error: { code: 'SCHEMA_TOO_NEW', message: expect.stringContaining('9999-future') },
      });
    }
  });

  it('because the role may not use the schema is exit code 77', async () => {
    await using database = await createTestDatabase();
    await database.query(`create role no_rights_${database.name} login`);
    const url = database.url.replace(testRun().superuser, `no_rights_${database.name}`);
    const result = await site.tend(['run-due-tasks', '--json'], { env: { TEND_DATABASE_URL: url } });
    await database.query(`drop role no_rights_${database.name}`);
    expect(json(result)).toMatchObject({ error: { code: 'DATABASE_PERMISSION' } });
    expect(result.exitCode).toBe(77);
  });
});
