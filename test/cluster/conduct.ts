// Runs inside the namespaces that run.ts has made: builds the cluster, loses its primary five times, judges.
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Application, startApplication } from './application.ts';
import { buildCluster } from './build-cluster.ts';
import { type FailOver, failOver, untilWhole, type Way } from './fail-over.ts';
import { guarantees, type Outcome } from './guarantees.ts';
import { until } from './members.ts';
import { addMachine, type Machine } from './network.ts';
import type { PostgresNode } from './node.ts';
import { formatFailOvers, formatHosts, formatSummary } from './report.ts';
import { connectionOf, connectTo, createSite, startsFile, writeConfig } from './site.ts';
import { logDirectory } from './start-on.ts';
import { startTicking, tendOn } from './tend-host.ts';

const [logsTo] = process.argv.slice(2);
const say = (text: string) => process.stdout.write(`${text}\n`);
/** A lease that outlives a fail-over, as the default does, and one that does not. */
const leases = { t1: '60s', t2: '60s', t3: '8s' };
const losses: readonly Way[] = ['kill -9', 'network cut', 'kill -9', 'network cut', 'kill -9'];

try {
  const outcome = await conduct();
  process.exitCode = await judge(outcome);
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  showLogs();
  say('0 passed, 1 failed');
  process.exitCode = 1;
} finally {
  if (logsTo !== undefined) cpSync(logDirectory, logsTo, { recursive: true });
}
// The namespaces end with this process, and everything in them.
process.exit();

async function conduct(): Promise<Outcome> {
  const nodes = await buildCluster();
  const machines = nodes.map(({ machine }) => machine);
  await createSite((await untilWhole(nodes)).machine);
  const hosts = await addHosts(machines);
  const application = startApplication(connectionOf('app', machines));
  const ticking = hosts.map(({ machine, path }) => startTicking(machine, path));

  const failOvers = await loseEveryPrimary(nodes, application);
  await application.stop();
  const client = await connectTo((await untilWhole(nodes)).machine);
  await client.query('update tend.schedules set enabled = false');
  await until('the end of every task', 120_000, async () => {
    const { rows } = await client.query(
      `select from tend.tasks where state in ('waiting', 'running') limit 1`,
    );
    return rows.length === 0 ? true : undefined;
  });
  await Promise.all(ticking.map((one) => one.stop()));
  await sleep(500); // a session is gone a moment after its client
  return {
    application,
    failOvers,
    ticks: ticking.flatMap(({ ticks }) => ticks),
    client,
    leftProcesses: await processesOn(hosts.map(({ machine }) => machine)),
  };
}

/** Machines with a tend.toml, and a database that is prepared for them. */
async function addHosts(machines: readonly Machine[]): Promise<{ machine: Machine; path: string }[]> {
  writeFileSync(startsFile, '');
  const hosts = [];
  for (const [index, [name, lease]] of Object.entries(leases).entries()) {
    const machine = await addMachine(name, 21 + index);
    hosts.push({ machine, path: await writeConfig(name, machines, lease) });
  }
  for (const { machine, path } of hosts.slice(0, 1)) {
    const { exitCode, stderr } = await tendOn(machine, path, ['migrations', 'up', '--grant-to', 'app']);
    if (exitCode !== 0) throw new Error(`migrations up: ${stderr}`);
  }
  return hosts;
}

async function loseEveryPrimary(
  nodes: readonly PostgresNode[],
  application: Application,
): Promise<FailOver[]> {
  const failOvers: FailOver[] = [];
  for (const way of losses) {
    const { from, to, leaderAfterS, ...rest } = await failOver(nodes, application, way);
    failOvers.push({ from, to, leaderAfterS, ...rest });
    say(`${failOvers.length}. ${way} of ${from}: ${to} leads after ${leaderAfterS.toFixed(1)} s`);
    await sleep(1000 + Math.random() * 2000);
  }
  return failOvers;
}

async function judge(outcome: Outcome): Promise<number> {
  say(formatFailOvers(outcome));
  say(await formatHosts(outcome, leases));
  say(await formatSummary(outcome));
  let failed = 0;
  for (const { title, breaches } of guarantees) {
    const found = await breaches(outcome);
    say(`${found.length === 0 ? 'kept  ' : 'BROKEN'} ${title}`);
    for (const line of found.slice(0, 20)) say(`         ${line}`);
    if (found.length > 0) failed += 1;
  }
  if (failed > 0) showLogs();
  say(`${guarantees.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function processesOn(machines: readonly Machine[]): Promise<string[]> {
  const pids = (await Promise.all(machines.map((machine) => machine.pids()))).flat();
  return pids.map((pid) => `${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`);
}

/** The last lines of each: where they are kept is gone in a moment. */
function showLogs(): void {
  say(execFileSync('/bin/sh', ['-c', `tail -n 15 ${logDirectory}/*`], { encoding: 'utf8' }));
}
