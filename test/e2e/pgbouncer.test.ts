import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { scriptedSmtpServer } from '../mail/scripted-smtp-server.ts';
import { markedProcesses } from '../processes/support/marked-processes.ts';
import { newMark } from '../processes/support/tool-call.ts';
import { hasPgbouncer, type Pgbouncer, startPgbouncer } from '../support/pgbouncer.ts';
import { testRun } from '../support/test-run.ts';
import { createQueueSite, json, type QueueSite, scriptKind, tcpUrl } from './queue-site.ts';

vi.setConfig({ testTimeout: 90_000 });

/** A heartbeat every one and a half seconds, after one of which the session is closed. */
const leaseMs = 4500;
const kinds = [
  `[backup]\ndirectory = "backups"\n[tasks]\nlease = "${leaseMs}ms"\ngrace = "1s"\n`,
  scriptKind('append', 'echo "$TEND_TASK_ID $TEND_ATTEMPT" >> log'),
  scriptKind('lasts', 'echo x >> "started-$TEND_TASK_ID"; sleep "$(cut -d: -f2 | tr -d "}")"', {
    env: ['MARK'],
  }),
].join('');

/** Tasks that did not succeed exactly once on their first attempt, with nothing else on record. */
const notDoneOnce = `
  select t.id, t.kind, t.state, t.attempt, array_agg(a.outcome) as outcomes
    from tend.tasks t left join tend.attempts a on a.task_id = t.id
   group by t.id having t.state <> 'succeeded' or t.attempt <> 1 or array_agg(a.outcome) <> array['succeeded']`;

/** What one client could leave in a server session for the next one. */
const sessionState = `
  select pg_backend_pid() as pid,
         array(select name || '=' || setting from pg_settings
                where source = 'session' and name not in ('application_name')) as settings,
         (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks,
         (select count(*)::int from pg_prepared_statements) as prepared,
         (select count(*)::int from pg_cursors) as cursors,
         (select count(*)::int from pg_listening_channels()) as channels,
         (select count(*)::int from pg_class where relpersistence = 't') as temporary,
         current_user::text = session_user::text as own_role, current_setting('search_path') as search_path`;

/** A site whose commands reach the database through a pgbouncer of their own. */
async function pooledSite(settings: Record<string, string>, lease = leaseMs) {
  const site: QueueSite = await createQueueSite(kinds.replace(`${leaseMs}ms`, `${lease}ms`));
  const pooler: Pgbouncer = await startPgbouncer(settings);
  const url = tcpUrl({
    connection: site.database.connection,
    password: testRun().password,
    port: pooler.port,
  });
  const env = { TEND_DATABASE_URL: url };
  return {
    ...site,
    pooler,
    url,
    tend: (args: readonly string[]) => site.tend(args, { env }),
    start: (args: readonly string[], more = {}) => site.start(args, { env: { ...env, ...more } }),
    /** Names of tend's connections to the pooler. */
    async clients() {
      const rows = await pooler.admin('show clients');
      return rows.map((row) => row['application_name'] ?? '').filter((name) => name.startsWith('tend '));
    },
    async [Symbol.asyncDispose]() {
      await pooler[Symbol.asyncDispose]();
      await site[Symbol.asyncDispose]();
    },
  };
}

// Where it is missing, the name of the group says what to install.
describe.skipIf(!hasPgbouncer)('through pgbouncer in transaction mode (apt-get install pgbouncer)', () => {
  let site: Awaited<ReturnType<typeof pooledSite>>;

  beforeAll(async () => {
    site = await pooledSite({ default_pool_size: '2' });
  });
  afterAll(async () => await site[Symbol.asyncDispose]());

  /** A tick in the middle of a command that lasts for ten minutes. */
  async function tickOnLasting() {
    const mark = newMark();
    const id = await site.enqueue('lasts', { seconds: 600 });
    const tick = await site.start(['run-due-tasks', '--task', String(id), '--json'], { MARK: mark });
    await expect.poll(() => site.lines(`started-${id}`)).toEqual(['x']);
    return { id, tick, mark };
  }

  it('migrations, tasks enqueue, tasks and a tick work', async () => {
    await site.database.query('drop schema tend cascade');
    expect(await site.tend(['migrations', 'up'])).toMatchObject({ exitCode: 0, stderr: '' });
    expect(json(await site.tend(['migrations', '--json']))).toMatchObject({ pending: 0 });
    const { id } = json(await site.tend(['tasks', 'enqueue', 'append', '--json']));
    expect((await site.tend(['tasks'])).stdout).toContain('append');
    expect(await site.tend(['run-due-tasks'])).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await site.attempts(Number(id))).toMatchObject([{ outcome: 'succeeded' }]);
    expect(await site.clients()).toEqual([]);
  });

  it('five ticks at once drain the queue over two sessions: every task is done once', async () => {
    await site.database.query(`
      truncate tend.tasks, tend.attempts cascade; select tend.enqueue(case when n % 10 = 0 then 'append' else 'noop' end) from generate_series(1, 400) n`);
    const before = (await site.lines('log')).length;
    const ticks = await Promise.all(
      [1, 2, 3, 4, 5].map(() => site.tend(['run-due-tasks', '--drain', '--concurrency', '8'])),
    );
    expect(ticks.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual(ticks.map(() => [0, '']));
    expect(await site.database.query(notDoneOnce)).toEqual([]);
    const lines = (await site.lines('log')).slice(before);
    expect([lines.length, new Set(lines).size]).toEqual([40, 40]);
    expect(await site.clients()).toEqual([]);
    expect((await site.sessions()).length).toBeLessThanOrEqual(2);
  });

  it('heartbeats keep a long task and bring the request to cancel; between them nothing is connected', async () => {
    const { id, tick, mark } = await tickOnLasting();
    const first = Number((await site.task(id)).lease_until);
    await expect.poll(() => site.clients(), { interval: 20 }).toEqual([]);
    await expect.poll(async () => Number((await site.task(id)).lease_until)).toBeGreaterThan(first + leaseMs);
    expect((await site.tend(['tasks', 'cancel', String(id)])).exitCode).toBe(0);
    expect((await tick.result).exitCode).toBe(0);
    expect(await site.task(id)).toMatchObject({ state: 'cancelled', attempt: 1 });
    expect(await markedProcesses(mark)).toEqual([]);
  });

  it('SIGTERM in the middle of a task gives it back', async () => {
    const { id, tick, mark } = await tickOnLasting();
    tick.child.kill('SIGTERM');
    expect((await tick.result).exitCode).toBe(143);
    expect(await site.task(id)).toMatchObject({ state: 'waiting', attempt: 0 });
    expect(await site.attempts(id)).toMatchObject([{ outcome: 'released' }]);
    expect(await markedProcesses(mark)).toEqual([]);
    expect(await site.clients()).toEqual([]);
    await site.tend(['tasks', 'cancel', String(id)]);
  });

  it('kill -9 in the middle of a task is seen by the next tick', async () => {
    const { id, tick, mark } = await tickOnLasting();
    tick.child.kill('SIGKILL');
    await tick.result;
    await expect.poll(() => markedProcesses(mark)).toEqual([]);
    await expect.poll(() => site.clients()).toEqual([]);
    const next = json(await site.tend(['run-due-tasks', '--kind', 'noop', '--json']));
    expect(next['reaped']).toMatchObject([{ id, attempt: 1, state: 'waiting' }]);
    expect(await site.attempts(id)).toMatchObject([{ outcome: 'lost' }]);
    await site.tend(['tasks', 'cancel', String(id)]);
  });

  it.each([
    ['in place', () => ['--confirm', site.database.name]],
    ['beside the live database', () => ['--into', `${site.database.name}_b`]],
    ['on trial', () => ['--dry-run']],
  ])('restore %s refuses before it changes anything, and says to connect directly', async (_how, flags) => {
    expect(await site.tend(['backup'])).toMatchObject({ exitCode: 0, stderr: '' });
    const databases = `select oid, datname from pg_database where datname like '${site.database.name}%'`;
    const before = await site.database.query(databases);
    const client = new pg.Client({ connectionString: site.url });
    await client.connect();
    const restore = await site.tend(['restore', 'latest', ...flags(), '--json']);
    expect(restore.exitCode).toBe(75);
    expect(json(restore)).toMatchObject({
      error: {
        code: 'DATABASE_BUSY',
        message: expect.stringContaining('is behind a pooler'),
        hint: expect.stringContaining('Connect to the server itself: TEND_DATABASE_URL='),
      },
    });
    expect(await site.database.query(databases)).toEqual(before);
    expect((await client.query('select 1 as alive')).rows).toEqual([{ alive: 1 }]); // nobody was sent away
    await client.end();
  });
});

describe.skipIf(!hasPgbouncer)('a pgbouncer whose server sessions are ended, again and again', () => {
  it('costs a drain nothing: every task is done once, on its first attempt', async () => {
    await using site = await pooledSite({ default_pool_size: '2' }, 60_000);
    await site.database.query(`select tend.enqueue('noop') from generate_series(1, 6000)`);
    const admin = await site.database.connect();
    const done = async () => (await admin.query('select from tend.attempts')).rowCount ?? 0;
    const tick = await site.start(['run-due-tasks', '--drain', '--json']);
    let cuts = 0;
    // The first statement of a tick is not repeated: it is let through. Then each cut finds it a step further.
    for (let before = 0; tick.child.exitCode === null; ) {
      const now = await done();
      if (now > before) {
        before = now;
        const { rows } = await admin.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
        );
        cuts += rows.length;
      }
      await sleep(20 + Math.random() * 100);
    }
    await admin.end();
    const ended = await tick.result;
    expect(ended.exitCode, ended.stderr).toBe(0);
    expect(cuts).toBeGreaterThan(3);
    expect(json(ended)).toMatchObject({ succeeded: 6000, lost: 0, unwritten: 0 });
    expect(await site.database.query(notDoneOnce)).toEqual([]);
  });
});

describe.skipIf(!hasPgbouncer)('a pgbouncer that is busy', () => {
  it('and sends tend away when a task has ended is asked again: the end is written with all that belongs to it', async () => {
    const settings = { default_pool_size: '1', query_wait_timeout: '1' };
    await using site = await pooledSite(settings, 60_000);
    const id = await site.enqueue('lasts', { seconds: 1 });
    const tick = await site.start(['run-due-tasks', '--json']);
    await expect.poll(() => site.lines(`started-${id}`)).toEqual(['x']);
    const other = new pg.Client({ connectionString: site.url });
    await other.connect();
    await other.query('begin'); // has the one session now
    // Told so once or twice, it could be taken for an end that cannot be stored.
    const refusals = async () => (await site.pooler.log()).split('query_wait_timeout').length - 1;
    await expect.poll(refusals, { timeout: 30_000 }).toBeGreaterThan(4);
    await other.query('commit');
    await other.end();
    const ended = await tick.result;
    expect(ended.exitCode, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('the database did not take a statement: query_wait_timeout');
    expect(await site.attempts(id)).toMatchObject([
      { attempt: 1, outcome: 'succeeded', exit_code: 0, evidence: { exitCode: 0 } },
    ]);
  });

  it('and takes no more connections is exit code 75', async () => {
    await using site = await pooledSite({ max_client_conn: '1' });
    const client = await firstToConnect(site.url);
    const tick = await site.tend(['run-due-tasks', '--json']);
    await client.end();
    expect(tick.exitCode).toBe(75);
    expect(json(tick)).toMatchObject({ error: { code: 'DATABASE_BUSY' } });
  });
});

/** Tries until there is room: the one that saw the pooler start may still be leaving. */
async function firstToConnect(url: string): Promise<pg.Client> {
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    const isConnected = await client.connect().then(
      () => true,
      () => false,
    );
    if (isConnected) return client;
    await sleep(20);
  }
}

describe.skipIf(!hasPgbouncer)('the server sessions of a pgbouncer in transaction mode', () => {
  /** What is in both of them; two transactions at once see both. */
  async function statesOf(url: string) {
    const clients = [1, 2].map(() => new pg.Client({ connectionString: url }));
    await Promise.all(clients.map((client) => client.connect()));
    for (const client of clients) await client.query('begin');
    const seen = [];
    for (const client of clients) seen.push((await client.query<{ pid: number }>(sessionState)).rows[0]);
    for (const client of clients) await client.query('commit');
    await Promise.all(clients.map((client) => client.end()));
    return seen.sort((one, other) => Number(one?.pid) - Number(other?.pid));
  }

  it('are after a drain of mail as they were before: its statements are prepared in no session but our own', async () => {
    await using site = await pooledSite({ default_pool_size: '2' });
    await using server = await scriptedSmtpServer({ extensions: ['PIPELINING'] });
    await site.configure(
      `[mail]\nurl = "smtp://127.0.0.1:${server.port}?tls=off"\nfrom = "cms@example.org"\n`,
    );
    await site.database.query(
      `select tend.enqueue('send-mail', jsonb_build_object('to', 'user' || n || '@x.test', 'subject', 'Hi', 'text', 'Hi'))
         from generate_series(1, 300) n`,
    );
    const before = await statesOf(site.url);
    // Two at once, so that a statement finds itself in another session than the one before it.
    const ticks = await Promise.all([1, 2].map(() => site.tend(['run-due-tasks', '--drain'])));
    expect(ticks.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual([
      [0, ''],
      [0, ''],
    ]);
    expect([server.messages.length, new Set(server.recipients).size]).toEqual([300, 300]);
    expect(await statesOf(site.url)).toEqual(before);
    expect(before).toMatchObject([{ prepared: 0 }, { prepared: 0 }]);
  });

  it('are after ticks, commands and a backup as they were before', async () => {
    await using site = await pooledSite({ default_pool_size: '2' });
    const states = () => statesOf(site.url);
    const before = await states();
    const clean = { locks: 0, prepared: 0, cursors: 0, channels: 0, temporary: 0, own_role: true };
    expect(before).toMatchObject([clean, clean]);
    expect(new Set(before.map((one) => one?.pid)).size).toBe(2);

    await site.database.query('drop schema tend cascade');
    expect((await site.tend(['migrations', 'up'])).exitCode).toBe(0);
    await site.database.query(`select tend.enqueue('append') from generate_series(1, 5)`);
    await site.enqueue('lasts', { seconds: 2 });
    expect((await site.tend(['run-due-tasks'])).exitCode).toBe(0);
    expect((await site.tend(['tasks', '--all'])).exitCode).toBe(0);
    expect((await site.tend(['tasks', 'show', '999'])).exitCode).toBe(66);
    expect(await states()).toEqual(before); // the same backends, by their pids

    expect((await site.tend(['backup'])).exitCode).toBe(0);
    // pg_dump leaves in the middle of its transaction, and pgbouncer throws such a session away.
    expect((await states()).map(withoutPid)).toEqual(before.map(withoutPid));
  });
});

function withoutPid(state: object | undefined): object {
  return { ...state, pid: 0 };
}
