import type { Bench } from './bench.ts';
import { countTickSessions, countTickSessionsLeft } from './count-sessions.ts';
import { measureInTurn, toMeasurement } from './measure-in-turn.ts';
import { measureProgram } from './measure-program.ts';
import { bareNode, graphileWorker, tend, withCompileCache } from './programs.ts';
import { type BenchResult, countClaim, ratioClaim } from './results.ts';
import { compare } from './statistics.ts';

/** What a tick costs that finds nothing to do: a crontab starts 1,440 of them a day. */
export async function idleTick(bench: Bench): Promise<BenchResult> {
  const queue = await bench.createDatabase('idle_tend', { isMigrated: true });
  const other = await bench.createDatabase('idle_graphile', { isMigrated: false });
  await measureProgram(graphileWorker(bench, other, '--schema-only'));
  const tick = tend(bench, queue, 'run-due-tasks');
  const once = graphileWorker(bench, other, '--once');
  const costs = await measureInTurn(
    { node: bareNode(bench), tick, once, cached: withCompileCache(once, bench) },
    bench.pairs,
  );
  const sessions = await countTickSessions(bench, () => measureProgram(tick));
  const { node, once: graphile, cached } = costs;
  return {
    title: 'Idle tick',
    method:
      'An empty, migrated queue; `tend.toml` names the database, the environment is cron’s. `node -e 0`, `tend run-due-tasks`, `graphile-worker --once` (schema migrated, one task file) and the same with NODE_COMPILE_CACHE (for comparison, no bound) run in turn; wall, CPU and peak memory of each process come from wait4(2). Sessions are counted in the server’s log.',
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
      countClaim('sessions an idle tick opens', 1, sessions),
      countClaim('sessions left after it', 0, await countTickSessionsLeft(queue)),
    ],
    measurements: [
      toMeasurement('`node -e 0`', node),
      toMeasurement('`tend run-due-tasks`', costs.tick),
      toMeasurement('`graphile-worker --once`', graphile),
      toMeasurement('`graphile-worker --once`, compile cache', cached),
    ],
  };
}
