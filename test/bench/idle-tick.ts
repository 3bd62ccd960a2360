import type { Bench } from './bench.ts';
import { countSessions, countSessionsLeft } from './count-sessions.ts';
import { createBossDatabase, createGraphileDatabase } from './install-peers.ts';
import { measureInTurn, toMeasurement } from './measure-in-turn.ts';
import { measureProgram } from './measure-program.ts';
import { bareNode, graphileWorker, pgBoss, tend, withCompileCache } from './programs.ts';
import { type BenchResult, countClaim, ratioClaim } from './results.ts';
import { compare } from './statistics.ts';

/** What a tick costs that finds nothing to do: a crontab starts 1,440 of them a day. */
export async function idleTick(bench: Bench): Promise<BenchResult> {
  const queue = await bench.createDatabase('idle_tend', { isMigrated: true });
  const graphileQueue = await createGraphileDatabase(bench, 'idle_graphile');
  const bossQueue = await createBossDatabase(bench, 'idle_boss');
  const tick = tend(bench, queue, 'run-due-tasks');
  const once = graphileWorker(bench, graphileQueue, '--once');
  const boss = pgBoss(bench, bossQueue, 'once');
  const costs = await measureInTurn(
    { node: bareNode(bench), tick, once, cached: withCompileCache(once, bench), boss },
    bench.pairs,
  );
  const sessions = {
    tick: await countSessions(bench, queue, () => measureProgram(tick)),
    once: await countSessions(bench, graphileQueue, () => measureProgram(once)),
    boss: await countSessions(bench, bossQueue, () => measureProgram(boss)),
  };
  const { node, once: graphile, cached } = costs;
  return {
    title: 'Idle tick',
    method:
      'An empty, migrated queue; `tend.toml` names the database, the environment is cron’s. `node -e 0`, `tend run-due-tasks`, `graphile-worker --once` (schema migrated, one task file), the same with NODE_COMPILE_CACHE (for comparison, no bound), and the least that pg-boss can be made to do (for comparison: it is a library, so this is a script of ours that starts it with `max` 1 and `supervise`, `schedule` and `migrate` off, fetches from an empty queue and stops it) run in turn; wall, CPU and peak memory of each process come from wait4(2). Neither peer does what a tick does besides: take back the tasks of dead workers, note that the host is alive, prune. Sessions are counted in the server’s log.',
    claims: [
      ratioClaim(
        'wall of an idle tick ÷ `node -e 0`',
        'at most 3.6',
        compare(costs.tick.wallMs, node.wallMs),
      ),
      ratioClaim('CPU of an idle tick ÷ `node -e 0`', 'at most 3.6', compare(costs.tick.cpuMs, node.cpuMs)),
      ratioClaim(
        'wall of an idle tick ÷ `graphile-worker --once`',
        'at most 0.7',
        compare(costs.tick.wallMs, graphile.wallMs),
      ),
      ratioClaim(
        'CPU of an idle tick ÷ `graphile-worker --once`',
        'at most 0.7',
        compare(costs.tick.cpuMs, graphile.cpuMs),
      ),
      ratioClaim(
        'peak memory of an idle tick ÷ `node -e 0`',
        'at most 1.6',
        compare(costs.tick.peakMiB, node.peakMiB),
      ),
      ratioClaim(
        'wall of an idle tick ÷ pg-boss, one fetch',
        'none',
        compare(costs.tick.wallMs, costs.boss.wallMs),
      ),
      countClaim('sessions an idle tick opens', 1, sessions.tick),
      countClaim('sessions left after it', 0, await countSessionsLeft(queue)),
    ],
    measurements: [
      toMeasurement('`node -e 0`', node),
      toMeasurement('`tend run-due-tasks`', costs.tick),
      toMeasurement('`graphile-worker --once`', graphile),
      toMeasurement('`graphile-worker --once`, compile cache', cached),
      toMeasurement('pg-boss, one fetch', costs.boss),
      { subject: '`tend run-due-tasks`', columns: { 'sessions opened': [sessions.tick] } },
      { subject: '`graphile-worker --once`', columns: { 'sessions opened': [sessions.once] } },
      { subject: 'pg-boss, one fetch', columns: { 'sessions opened': [sessions.boss] } },
    ],
  };
}
