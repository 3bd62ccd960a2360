import type { Bench, BenchDatabase } from './bench.ts';
import { createGraphileDatabase } from './install-peers.ts';
import { measureProgram, type Program } from './measure-program.ts';
import { graphileWorker, tend } from './programs.ts';
import { type Backlog, graphileBacklog, tendBacklog } from './queue-backlog.ts';
import { type BenchResult, ratioClaim } from './results.ts';
import { compare } from './statistics.ts';

const tasks = 20_000;
const rounds = 3;

interface Side {
  subject: string;
  database: BenchDatabase;
  backlog: Backlog;
  drain: Program;
  tables: string;
  free: number[];
  held: number[];
  sizes: number[];
}

/** What a long snapshot, such as a backup’s, does to a queue that is worked off meanwhile. */
export async function heldSnapshot(bench: Bench): Promise<BenchResult> {
  const ours = await bench.createDatabase('snapshot_tend', { isMigrated: true });
  const other = await createGraphileDatabase(bench, 'snapshot_graphile');
  const times = () => ({ free: new Array<number>(), held: new Array<number>(), sizes: new Array<number>() });
  const sides: Side[] = [
    {
      subject: '`tend run-due-tasks --drain`',
      ...{ database: ours, backlog: tendBacklog, tables: 'tend.tasks' },
      drain: tend(bench, ours, 'run-due-tasks', '--drain'),
      ...times(),
    },
    {
      subject: '`graphile-worker --once -j 24`',
      ...{ database: other, backlog: graphileBacklog, tables: 'graphile_worker._private_jobs' },
      drain: graphileWorker(bench, other, '--once', '-j', '24', '-m', '25'),
      ...times(),
    },
  ];
  for (let round = 0; round < Math.min(rounds, bench.pairs); round++) {
    for (const side of sides) {
      side.free.push(await drain(side));
      side.held.push(await drainUnderSnapshot(bench, side));
    }
  }
  const [tendSide, graphileSide] = sides;
  if (tendSide === undefined || graphileSide === undefined) throw new Error('There are two sides.');
  return {
    title: 'Held snapshot',
    method: `The drain of ${tasks} tasks, as it is and while another session holds a snapshot from before the first claim to the end, as \`pg_dump\` does: no dead row can be removed, and every claim passes those of the claims before. ${rounds} rounds of a drain without and one with it; the size is that of the table with its indexes right after the drain under the snapshot. No bound.`,
    claims: [
      ratioClaim('tend, drain under a snapshot ÷ without', 'none', compare(tendSide.held, tendSide.free)),
      ratioClaim(
        'graphile-worker’s default, the same',
        'none',
        compare(graphileSide.held, graphileSide.free),
      ),
    ],
    measurements: sides.map(({ subject, free, held, sizes }) => ({
      subject,
      columns: { 'wall ms': free, 'under a snapshot, wall ms': held, 'table after it, MiB': sizes },
    })),
  };
}

async function drain({ database, backlog, drain: program }: Side): Promise<number> {
  await backlog.fill(database, tasks);
  await database.client.query('checkpoint');
  const { wallMs } = await measureProgram(program);
  await backlog.requireDone(database, tasks);
  return wallMs;
}

async function drainUnderSnapshot(bench: Bench, side: Side): Promise<number> {
  const { database, tables, backlog } = side;
  await backlog.fill(database, tasks);
  await database.client.query('checkpoint');
  await using holder = await bench.openSession(database);
  await holder.client.query('begin isolation level repeatable read');
  await holder.client.query(`select count(*) from ${tables}`);
  const { wallMs } = await measureProgram(side.drain);
  const { rows } = await database.client.query<{ mib: number }>(
    `select pg_total_relation_size('${tables}') / 1048576.0::float8 as mib`,
  );
  side.sizes.push(rows[0]?.mib ?? Number.NaN);
  await holder.client.query('rollback');
  await backlog.requireDone(database, tasks);
  return wallMs;
}
