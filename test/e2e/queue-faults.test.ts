import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, it, vi } from 'vitest';
import { markedProcesses } from '../processes/support/marked-processes.ts';
import { newMark } from '../processes/support/tool-call.ts';
import { startCluster } from '../support/cluster.ts';
import type { CliResult } from '../support/run-cli.ts';
import { testRun } from '../support/test-run.ts';
import { count } from './kill-storm.ts';
import { startTcpProxy } from './queue-proxy.ts';
import { createQueueSite, json, type QueueSite, scriptKind, tcpUrl } from './queue-site.ts';

vi.setConfig({ testTimeout: 90_000 });

const appendKind = scriptKind('append', 'echo "$TEND_TASK_ID $TEND_ATTEMPT" >> log');
const drain = ['run-due-tasks', '--drain', '--json'];

/** Tasks that did not succeed exactly once on their first attempt, with nothing else on record. */
const notDoneOnce = `
  select t.id, t.kind, t.state, t.attempt, array_agg(a.outcome) as outcomes
    from tend.tasks t left join tend.attempts a on a.task_id = t.id
   group by t.id having t.state <> 'succeeded' or t.attempt <> 1 or array_agg(a.outcome) <> array['succeeded']`;

/** Does something to the server at random moments until the program has ended. */
async function whileRunning(
  running: Promise<CliResult>,
  pauseMs: () => number,
  harm: () => Promise<unknown>,
) {
  for (;;) {
    const result = await Promise.race([sleep(pauseMs(), undefined), running]);
    if (result !== undefined) return result;
    await harm();
  }
}

describe('sessions ended by the administrator at any moment of a drain', () => {
  it('cost nothing: every task is done once, on its first attempt, and the program ends well', async () => {
    await using site = await createQueueSite(appendKind);
    await site.tend(['migrations', 'up']);
    await site.database.query(`
      select tend.enqueue(case when n % 50 = 0 then 'append' else 'noop' end) from generate_series(1, 6000) n`);
    const admin = await site.database.connect();
    let ended = 0;
    let [doneBefore, fruitless] = [0, 0];
    const tick = await site.start(drain);
    // The first statement of a tick is not repeated: it is let through.
    await expect
      .poll(() => admin.query(`select from tend.attempts limit 1`).then(({ rowCount }) => rowCount), {
        interval: 5,
      })
      .toBe(1);
    const result = await whileRunning(
      tick.result,
      () => 20 + Math.random() * 150,
      async () => {
        // Where the machine is so busy that no statement comes to its end between two of these, one is let through.
        const done = await count(admin, `from tend.tasks where state = 'succeeded'`);
        fruitless = done === doneBefore ? fruitless + 1 : 0;
        doneBefore = done;
        if (fruitless > 3) return;
        const { rows } = await admin.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name like 'tend %'`,
        );
        ended += rows.length;
      },
    );
    await admin.end();
    expect(result.exitCode, result.stderr).toBe(0);
    expect(ended).toBeGreaterThan(3);
    expect(json(result)).toMatchObject({ succeeded: 6000, failed: 0, lost: 0, unwritten: 0 });
    expect(await site.database.query(notDoneOnce)).toEqual([]);
    expect(new Set(await site.lines('log')).size).toBe(120);
    expect(await site.lines('log')).toHaveLength(120);
    expect(await site.sessions()).toEqual([]);
  });
});

describe('a server that crashes and comes back in the middle of a drain', () => {
  it('costs nothing either', async () => {
    // A commit that was acknowledged must survive the crash: the suite's own servers do without.
    const settings = { synchronous_commit: 'on' };
    await using cluster = await startCluster({ parentDirectory: testRun().temporaryDirectory, settings });
    await using site = await createQueueSite();
    const url = `postgresql://${cluster.superuser}@/postgres?host=${encodeURIComponent(cluster.socketDirectory)}&port=${cluster.port}`;
    const env = { TEND_DATABASE_URL: url };
    await site.configure(appendKind);
    await site.tend(['migrations', 'up'], { env });
    const server = { host: cluster.socketDirectory, port: cluster.port, user: cluster.superuser };
    await queryOnce(
      server,
      `select tend.enqueue(case when n % 100 = 0 then 'append' else 'noop' end) from generate_series(1, 6000) n`,
    );
    const tick = await site.start(drain, { env });
    await expect
      .poll(() => queryOnce(server, `select from tend.attempts limit 1`), { interval: 20 })
      .toHaveLength(1);
    let restarts = 0;
    const result = await whileRunning(
      tick.result,
      () => 150 + Math.random() * 150,
      async () => {
        if (restarts >= 3) return;
        restarts += 1;
        await cluster.restart('immediate');
      },
    );
    expect(result.exitCode, result.stderr).toBe(0);
    expect(restarts).toBeGreaterThan(0);
    expect(await queryOnce(server, notDoneOnce)).toEqual([]);
    expect(await site.lines('log')).toHaveLength(60);
    expect(new Set(await site.lines('log')).size).toBe(60);
  });
});

describe.concurrent('a database that does not answer any more', () => {
  it('ends a tick with 69 in bounded time; the command was stopped before another worker could start it', async () => {
    await using site = await halfOpenSite('lease = "6s"\ngrace = "10m"');
    const { worker, mark, lease } = await site.startLong();
    // The session is closed by now, so that the next heartbeat connects anew.
    await expect.poll(() => site.sessions()).toEqual([]);
    site.proxy.freeze();
    await expect.poll(() => markedProcesses(mark), { interval: 20 }).toHaveLength(1);
    const stoppedAt = Date.now();
    expect(stoppedAt).toBeLessThan(await lease());
    const ended = await worker.result;
    expect(ended.exitCode, ended.stderr).toBe(69);
    expect(json(ended)).toMatchObject({ unwritten: 1, succeeded: 0 });
    expect(ended.stderr).toContain('the database did not take a statement');
    expect(await markedProcesses(mark)).toEqual([]);
  });

  it('in the middle of a statement does the same', async () => {
    await using site = await halfOpenSite('lease = "3s"\ngrace = "10m"');
    const { worker, mark, lease } = await site.startLong();
    // Heartbeats come every second, on a session that is closed after a second: one may be under way.
    site.proxy.freeze();
    await expect.poll(() => markedProcesses(mark), { interval: 20 }).toHaveLength(1);
    expect(Date.now()).toBeLessThan(await lease());
    const ended = await worker.result;
    expect(ended.exitCode, ended.stderr).toBe(69);
    expect(await markedProcesses(mark)).toEqual([]);
  });

  it('for a moment, but comes back before the lease ends, costs nothing', async () => {
    await using site = await halfOpenSite('lease = "9s"\ngrace = "1s"');
    const { id, worker } = await site.startLong();
    await expect.poll(() => site.sessions()).toEqual([]);
    site.proxy.freeze();
    await site.database.query('select tend.cancel($1)', [id]);
    await sleep(100);
    site.proxy.thaw();
    const ended = await worker.result;
    expect(ended.exitCode, ended.stderr).toBe(0);
    expect(await site.task(id)).toMatchObject({ state: 'cancelled' });
  });

  it('at the start of a tick is exit code 69 after the connection’s time-out', async () => {
    await using site = await halfOpenSite('');
    site.proxy.freeze();
    const ended = await site.tick(['run-due-tasks', '--json']);
    expect(ended.exitCode).toBe(69);
    expect(json(ended)).toMatchObject({ error: { code: 'DATABASE_UNREACHABLE' } });
  });
});

/** A site whose ticks reach the database through a proxy that can go half-open; connect_timeout is two seconds. */
async function halfOpenSite(tasks: string) {
  const site: QueueSite = await createQueueSite(
    `[tasks]\n${tasks}\n${scriptKind('long', 'trap "" TERM; echo x > started; sleep 600; sleep 600', { env: ['MARK'] })}`,
  );
  await site.tend(['migrations', 'up']);
  const { connection } = site.database;
  const proxy = await startTcpProxy(connection.servers[0].port);
  const password = testRun().password;
  const url = tcpUrl({ connection, password, port: proxy.port, parameters: '&connect_timeout=2' });
  return {
    ...site,
    proxy,
    tick: (args: readonly string[]) => site.tend(args, { env: { TEND_DATABASE_URL: url } }),
    async startLong() {
      const mark = newMark();
      const id = await site.enqueue('long');
      const env = { TEND_DATABASE_URL: url, MARK: mark };
      const worker = await site.start(['run-due-tasks', '--task', String(id), '--json'], { env });
      await expect.poll(() => site.lines('started')).toEqual(['x']);
      const lease = async () => Number((await site.task(id)).lease_until);
      return { id, worker, mark, lease };
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await site[Symbol.asyncDispose]();
    },
  };
}

async function queryOnce(config: pg.ClientConfig, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ ...config, database: 'postgres' });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
