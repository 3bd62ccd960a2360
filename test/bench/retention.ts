import type { Bench, BenchDatabase } from './bench.ts';
import { measureProgram } from './measure-program.ts';
import { tend } from './programs.ts';
import { type BenchResult, type Claim, countClaim } from './results.ts';

const old = 200_000;
const cycles = 5;
const tasksACycle = 20_000;

/** What pruning costs, and whether the table stays small under it. */
export async function retention(bench: Bench): Promise<BenchResult> {
  const database = await bench.createDatabase('retention', { isMigrated: true });
  const pruned = await pruneMuch(bench, database);
  const sizes = await repeat(bench, database, Math.min(cycles, Math.max(bench.pairs, 2)));
  const first = sizes[0] ?? Number.NaN;
  const last = sizes.at(-1) ?? Number.NaN;
  const growth: Claim = {
    ...{ what: `table after ${sizes.length} cycles ÷ after the first`, bound: 'none' },
    ...{ measured: last / first, ofMinima: undefined },
  };
  return {
    title: 'Retention',
    method: `${old.toLocaleString('en-US')} tasks that succeeded 8 days ago, each with its attempt, are pruned by ticks (they keep 7 days; 1,000 a statement) until none is left; sizes are those of \`tend.tasks\` and \`tend.attempts\` with their indexes. Then, in an empty table, ${sizes.length} cycles of enqueueing ${tasksACycle.toLocaleString('en-US')}, draining them, letting them be 8 days old, a tick that prunes them, and what autovacuum does (\`vacuum analyze\`). No bound on sizes.`,
    claims: [countClaim('old tasks left', 0, pruned.left), growth],
    measurements: [
      {
        subject: `pruning ${old.toLocaleString('en-US')} tasks`,
        columns: {
          ticks: [pruned.ticks],
          'wall ms': [pruned.wallMs],
          'tasks/s': [(old / pruned.wallMs) * 1000],
        },
      },
      { subject: 'full', columns: { MiB: [pruned.fullMiB] } },
      { subject: 'pruned', columns: { MiB: [pruned.prunedMiB] } },
      { subject: 'pruned and vacuumed', columns: { MiB: [pruned.vacuumedMiB] } },
      ...sizes.map((mib, index) => ({ subject: `after cycle ${index + 1}`, columns: { MiB: [mib] } })),
    ],
  };
}

async function pruneMuch(bench: Bench, database: BenchDatabase) {
  const { client } = database;
  await client.query(`
    insert into tend.tasks (kind, run_at, state, attempt, started_at, finished_at)
    select 'noop', at, 'succeeded', 1, at, at
      from generate_series(1, ${old}) n, lateral (select now() - interval '8 days' - n * interval '10 ms' as at) t`);
  await client.query(`
    insert into tend.attempts (task_id, token, attempt, owner, started_at, finished_at, outcome)
    select id, gen_random_uuid(), 1, 'bench:1:::', started_at, finished_at, 'succeeded' from tend.tasks`);
  await client.query('vacuum analyze tend.tasks, tend.attempts');
  await client.query('checkpoint');
  const fullMiB = await sizeMiB(database);
  const started = performance.now();
  let ticks = 0;
  let left = old;
  while (left > 0 && ticks < 20) {
    await measureProgram(tend(bench, database, 'run-due-tasks'));
    ticks += 1;
    const { rows } = await client.query<{ left: number }>('select count(*)::integer as left from tend.tasks');
    left = rows[0]?.left ?? Number.NaN;
  }
  const wallMs = performance.now() - started;
  const prunedMiB = await sizeMiB(database);
  await client.query('vacuum analyze tend.tasks, tend.attempts');
  return { ticks, left, wallMs, fullMiB, prunedMiB, vacuumedMiB: await sizeMiB(database) };
}

async function repeat(bench: Bench, database: BenchDatabase, count: number): Promise<number[]> {
  const { client } = database;
  const sizes: number[] = [];
  await client.query('truncate tend.tasks, tend.attempts, tend.deliveries');
  for (let cycle = 0; cycle < count; cycle++) {
    await client.query(`select count(tend.enqueue('noop')) from generate_series(1, ${tasksACycle})`);
    await measureProgram(tend(bench, database, 'run-due-tasks', '--drain'));
    await client.query(`update tend.tasks set finished_at = finished_at - interval '8 days'`);
    await measureProgram(tend(bench, database, 'run-due-tasks'));
    await client.query('vacuum analyze tend.tasks, tend.attempts');
    sizes.push(await sizeMiB(database));
  }
  return sizes;
}

async function sizeMiB({ client }: BenchDatabase): Promise<number> {
  const { rows } = await client.query<{ mib: number }>(
    `select (pg_total_relation_size('tend.tasks') + pg_total_relation_size('tend.attempts')) / 1048576.0::float8 as mib`,
  );
  return rows[0]?.mib ?? Number.NaN;
}
