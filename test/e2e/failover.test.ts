import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { markedProcesses } from '../processes/support/marked-processes.ts';
import { newMark } from '../processes/support/tool-call.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { queryCluster } from '../support/query-cluster.ts';
import type { StartedCli } from '../support/run-cli.ts';
import { startStandby } from '../support/standby.ts';
import { testRun } from '../support/test-run.ts';
import { createQueueSite, json, scriptKind } from './queue-site.ts';

vi.setConfig({ testTimeout: 90_000 });

const hosts = ['web1', 'web2', 'web3'];

/**
 * A primary, a standby that has whatever the primary has acknowledged, and a site whose commands know both of them:
 * the first that takes writes is theirs.
 */
async function replicatedSite(toml: string) {
  const options = {
    parentDirectory: testRun().temporaryDirectory,
    settings: { synchronous_commit: 'on' },
  };
  const primary = await startCluster(options);
  const standby = await startStandby(primary, options);
  const site = await createQueueSite();
  await site.configure(toml);
  const { superuser, password } = primary;
  const places = `127.0.0.1:${primary.port},127.0.0.1:${standby.port}`;
  const url = `postgresql://${superuser}:${encodeURIComponent(password)}@${places}/postgres?target_session_attrs=read-write&sslmode=disable`;
  const env = { TEND_DATABASE_URL: url, MARK: newMark() };
  await site.tend(['migrations', 'up'], { env });
  return {
    ...site,
    primary,
    standby,
    mark: env.MARK,
    tick: (args: readonly string[], host = 'web1') =>
      site.start(['run-due-tasks', '--json', ...args], { env: { ...env, TEND_TASKS_HOST: host } }),
    async [Symbol.asyncDispose]() {
      await standby[Symbol.asyncDispose]();
      await primary[Symbol.asyncDispose]();
      await site[Symbol.asyncDispose]();
    },
  };
}

/** What a session of tend on a server is called; there should be none. */
const sessions = `select application_name from pg_stat_activity where application_name like 'tend %'`;

/** Tasks with another history than: one success, and a lost attempt for everything before it. */
const oddHistories = `
  select t.id, t.kind, t.state, array_agg(a.outcome order by a.started_at) as outcomes
    from tend.tasks t left join tend.attempts a on a.task_id = t.id
   group by t.id
  having t.state <> 'succeeded' or count(*) filter (where a.outcome = 'succeeded') <> 1
      or count(*) filter (where a.outcome not in ('succeeded', 'lost')) > 0
      or t.attempt <> count(*)`;

describe('the primary is stopped at once, and the standby promoted, in the middle of three ticks', () => {
  it('nothing acknowledged is lost, and nothing is done twice unless its first attempt is on record as lost', async () => {
    const kinds = [
      '[tasks]\nlease = "10s"\n',
      scriptKind('quick', 'echo "$TEND_TASK_ID" >> starts', { env: ['MARK'] }),
      scriptKind('second', 'echo "$TEND_TASK_ID" >> starts; sleep 1', { env: ['MARK'] }),
    ];
    await using site = await replicatedSite(kinds.join(''));
    const { primary, standby } = site;
    await queryCluster(
      primary,
      `select tend.enqueue(case when n % 250 = 0 then 'second' when n % 50 = 0 then 'quick' else 'noop' end)
         from generate_series(1, 3000) n`,
    );
    await using application = enqueueing(primary, standby);
    const ticks = await Promise.all(hosts.map((host) => site.tick(['--drain'], host)));
    await expect.poll(() => site.lines('starts'), { interval: 5 }).not.toEqual([]);
    await expect.poll(() => application.acknowledgedBy(primary), { interval: 5 }).toBeGreaterThan(0);

    await primary.stop('immediate');
    await sleep(300); // somebody has to notice
    await standby.promote();

    const ended = await Promise.all(ticks.map(({ result }) => result));
    for (const { exitCode, stderr } of ended) expect([0, 69], stderr).toContain(exitCode);
    await expect.poll(() => application.acknowledgedBy(standby)).toBeGreaterThan(5);
    await application.stop();
    const last = await workOff(site.tick, standby);
    expect(last.stderr).toBe('');

    expect(await queryCluster(standby, oddHistories)).toEqual([]);
    expect(application.acknowledgedBy(primary)).toBeGreaterThan(0);
    const rows = await queryCluster<{ n: number }>(
      standby,
      `select (payload->>'n')::int as n from tend.tasks where payload ? 'n'`,
    );
    const present = new Set(rows.map(({ n }) => n));
    expect(application.acknowledged.filter(({ n }) => !present.has(n))).toEqual([]);
    const starts = await site.lines('starts');
    const attempts = await queryCluster<{ id: string }>(
      standby,
      `select task_id as id from tend.attempts join tend.tasks t on t.id = task_id where t.kind in ('quick', 'second')`,
    );
    // A start has an attempt on record, whatever became of it.
    expect(starts.sort()).toEqual(attempts.map(({ id }) => id).sort());
    expect(await queryCluster(standby, sessions)).toEqual([]);
    expect(await markedProcesses(site.mark)).toEqual([]);
  });
});

describe('no server takes writes for longer than a lease', () => {
  it('running ticks stop their commands and end with 69, new ones too; the promoted standby goes on', async () => {
    const script = 'test -e "started-$TEND_TASK_ID" && exit 0; touch "started-$TEND_TASK_ID"; sleep 600';
    const lasting = scriptKind('lasting', `echo x >> starts; ${script}`, { env: ['MARK'] });
    await using site = await replicatedSite(`[tasks]\nlease = "3s"\ngrace = "10m"\n${lasting}`);
    const { primary, standby } = site;
    await queryCluster(primary, `select tend.enqueue('lasting') from generate_series(1, 4)`);
    const running = await Promise.all(
      ['web1', 'web2'].map((host) => site.tick(['--limit', '2', '--concurrency', '2'], host)),
    );
    await expect.poll(() => site.lines('starts')).toHaveLength(4);

    await primary.stop('immediate');

    for (const tick of running) {
      const ended = await tick.result;
      expect(ended.exitCode, ended.stderr).toBe(69);
      expect(json(ended)).toMatchObject({ unwritten: 2, succeeded: 0 });
    }
    expect(await markedProcesses(site.mark)).toEqual([]);
    const refused = await (await site.tick([])).result;
    expect(refused.exitCode).toBe(69);
    expect(json(refused)).toMatchObject({
      error: {
        code: 'DATABASE_UNREACHABLE',
        message: expect.stringContaining(`The server at 127.0.0.1:${standby.port} is not read-write`),
      },
    });

    await standby.promote();
    await workOff(site.tick, standby);
    expect(await queryCluster(standby, oddHistories)).toEqual([]);
    const outcomes = `select outcome, count(*)::int as count from tend.attempts group by 1 order by 1`;
    expect(await queryCluster(standby, outcomes)).toEqual([
      { outcome: 'lost', count: 4 },
      { outcome: 'succeeded', count: 4 },
    ]);
    expect(await queryCluster(standby, sessions)).toEqual([]);
  });
});

/** Ticks as cron would, but without the ten seconds that a lost task rests; returns the last one. */
async function workOff(tick: (args: string[]) => Promise<StartedCli>, server: Cluster) {
  const unfinished = `select state from tend.tasks where state in ('waiting', 'running')`;
  for (;;) {
    await queryCluster(server, `update tend.tasks set run_at = now() where state = 'waiting'`);
    const ended = await (await tick(['--drain'])).result;
    expect(ended.exitCode, ended.stderr).toBe(0);
    if ((await queryCluster(server, unfinished)).length === 0) return ended;
    await sleep(200);
  }
}

/** An application that goes on enqueueing at whichever server takes writes, and knows what was acknowledged. */
function enqueueing(...servers: Cluster[]) {
  const acknowledged: { n: number; by: Cluster }[] = [];
  const end = new AbortController();
  const run = async (): Promise<void> => {
    for (let n = 1; !end.signal.aborted; n++) {
      for (const by of servers) {
        const isAcknowledged = await queryCluster(by, `select tend.enqueue('noop', '{"n": ${n}}')`).then(
          () => true,
          () => false,
        );
        if (!isAcknowledged) continue;
        acknowledged.push({ n, by });
        break;
      }
      await sleep(10);
    }
  };
  const running = run();
  const stop = async () => {
    end.abort();
    await running;
  };
  return {
    acknowledged,
    acknowledgedBy: (server: Cluster) => acknowledged.filter(({ by }) => by === server).length,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
