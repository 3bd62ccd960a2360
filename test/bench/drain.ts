import type { Bench, BenchDatabase } from './bench.ts';
import { countTickSessions, countTickSessionsLeft } from './count-sessions.ts';
import { measureProgram, type Program } from './measure-program.ts';
import { graphileWorker, tend } from './programs.ts';
import { type BenchResult, countClaim, ratioClaim } from './results.ts';
import { compare } from './statistics.ts';

const tasks = 20_000;
const rounds = 3;

interface Side {
  idle: Program;
  drain: Program;
  fill: string;
  database: BenchDatabase;
}

/** How fast one process empties a queue of trivial tasks. */
export async function drain(bench: Bench): Promise<BenchResult> {
  const queue = await bench.createDatabase('drain_tend', { isMigrated: true });
  const other = await bench.createDatabase('drain_graphile', { isMigrated: false });
  await measureProgram(graphileWorker(bench, other, '--schema-only'));
  const graphile = graphileWorker(bench, other, '--once', '-j', '24', '-m', '25');
  const ours = { fill: fillTend, database: queue, idle: tend(bench, queue, 'run-due-tasks') };
  const sides = {
    four: { ...ours, drain: tend(bench, queue, 'run-due-tasks', '--drain') },
    many: { ...ours, drain: tend(bench, queue, 'run-due-tasks', '--drain', '--concurrency', '24') },
    graphile: { fill: fillGraphile, database: other, idle: graphile, drain: graphile },
  };
  const times = { four: newTimes(), many: newTimes(), graphile: newTimes() };
  let sessions = 0;
  for (let round = 0; round < Math.min(rounds, bench.pairs); round++) {
    for (const name of ['four', 'graphile', 'many'] as const) {
      sessions = Math.max(
        sessions,
        await countTickSessions(bench, () => drainOnce(sides[name], times[name], name)),
      );
    }
  }
  return {
    title: 'Drain',
    method: `${tasks} tasks that do nothing are enqueued through each side’s own SQL function, the table is analysed and a checkpoint made; then one process empties the queue: \`tend run-due-tasks --drain\` (concurrency 4, its default, and 24) over one session, \`graphile-worker --once -j 24\` with a pool of 25 (its default of 10 is slower, and it says so). Durability is PostgreSQL’s default on both sides. Afterwards none is left, and tend has an attempt on record for each. “Net” leaves out what the same program takes on an empty queue.`,
    claims: [
      ratioClaim(
        'tasks a second, net, tend ÷ graphile-worker',
        'at least 2',
        compare(times.graphile.net, times.four.net),
      ),
      ratioClaim(
        'tasks a second, whole process, tend ÷ graphile-worker',
        'at least 2',
        compare(times.graphile.wall, times.four.wall),
      ),
      ratioClaim(
        'the same at concurrency 24, net',
        'at least 2',
        compare(times.graphile.net, times.many.net),
      ),
      ratioClaim(
        'the same at concurrency 24, whole process',
        'at least 2',
        compare(times.graphile.wall, times.many.wall),
      ),
      countClaim('sessions an idle tick and a drain open, each', 1, sessions / 2),
      countClaim('sessions left after it', 0, await countTickSessionsLeft(queue)),
    ],
    measurements: [
      { subject: '`tend run-due-tasks --drain`', columns: columns(times.four) },
      { subject: '`tend run-due-tasks --drain --concurrency 24`', columns: columns(times.many) },
      { subject: '`graphile-worker --once -j 24`', columns: columns(times.graphile) },
    ],
  };
}

const fillTend = `truncate tend.tasks, tend.attempts, tend.deliveries;
  select count(tend.enqueue('noop', jsonb_build_object('id', n))) from generate_series(1, ${tasks}) n;
  analyze tend.tasks`;
const fillGraphile = `select count(*) from graphile_worker.add_jobs(array(
    select row('noop', json_build_object('id', n), null, null, null, null, null, null)::graphile_worker.job_spec
      from generate_series(1, ${tasks}) n));
  analyze graphile_worker._private_jobs`;

async function drainOnce(side: Side, times: Times, name: string): Promise<void> {
  const { client } = side.database;
  const idle = await measureProgram(side.idle);
  await client.query(side.fill);
  await client.query('checkpoint');
  const { wallMs } = await measureProgram(side.drain);
  const table = name === 'graphile' ? 'graphile_worker.jobs' : `tend.tasks where state <> 'succeeded'`;
  const left = await count(client, table);
  const recorded = name === 'graphile' ? tasks : await count(client, 'tend.attempts');
  if (left !== 0 || recorded !== tasks) {
    throw new Error(`${side.drain.args.join(' ')} left ${left} tasks, ${recorded} attempts are on record.`);
  }
  times.wall.push(wallMs);
  times.net.push(wallMs - idle.wallMs);
}

async function count(client: BenchDatabase['client'], from: string): Promise<number> {
  const { rows } = await client.query<{ count: number }>(`select count(*)::integer from ${from}`);
  return rows[0]?.count ?? Number.NaN;
}

interface Times {
  wall: number[];
  net: number[];
}

function newTimes(): Times {
  return { wall: [], net: [] };
}

function columns({ wall, net }: Times): Record<string, number[]> {
  return { 'wall ms': wall, 'net ms': net, 'tasks/s, net': net.map((ms) => (tasks / ms) * 1000) };
}
