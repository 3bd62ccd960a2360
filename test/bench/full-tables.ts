import type { Bench, BenchDatabase } from './bench.ts';
import { fillBoss, fillGraphile, fillTend } from './fill-tables.ts';
import { bossLook, graphileLook, tendLook } from './idle-looks.ts';
import { createBossDatabase, createGraphileDatabase } from './install-peers.ts';
import { measureInTurn, toMeasurement } from './measure-in-turn.ts';
import { measureProgram } from './measure-program.ts';
import { tend } from './programs.ts';
import { type BenchResult, type Measurement, ratioClaim } from './results.ts';
import { compare } from './statistics.ts';

const statementPairs = 200;

/** What a million future and a million finished tasks cost a tick that has nothing to do. */
export async function fullTables(bench: Bench): Promise<BenchResult> {
  const sides = await openSides(bench);
  const { empty, full } = sides.tend;
  const ticks = await measureInTurn(
    { empty: tend(bench, empty, 'run-due-tasks'), full: tend(bench, full, 'run-due-tasks') },
    bench.pairs,
  );
  const durable = await measureLooks(sides);
  for (const { client, connection } of [empty, full]) {
    await client.query(`alter database ${connection.database} set synchronous_commit = off`);
  }
  const inMemory = await measureLooks({ tend: sides.tend });
  for (const side of Object.values(sides)) await bench.dropDatabase(side.full);
  return {
    title: 'Full tables',
    method: `One database is empty, the other holds 1,000,000 future and 1,000,000 finished tasks (nine in ten succeeded, one in ten failed; none old enough to prune); both are vacuumed and analysed. The statement of an idle tick, sent through one session each, in turn, ${statementPairs} pairs: as it is, where most of it is the commit of the host’s row, and with synchronous_commit off, where the looking is what remains. Then the whole program. For comparison the same with the peers’ tables and the statement with which each looks for a job, which writes nothing: graphile-worker’s claim (what it keeps of finished jobs are those that failed for good, so all of the million are), and pg-boss’s \`fetch()\`. No bound for those.`,
    claims: [
      ratioClaim(
        'statement of an idle tick, full ÷ empty',
        'at most 1.5',
        compare(durable.tend.full, durable.tend.empty),
      ),
      ratioClaim(
        'the same without waiting for the disk',
        'at most 1.5',
        compare(inMemory.tend.full, inMemory.tend.empty),
      ),
      ratioClaim(
        'wall of an idle tick, full ÷ empty',
        'at most 1.5',
        compare(ticks.full.wallMs, ticks.empty.wallMs),
      ),
      ratioClaim(
        'graphile-worker’s claim, full ÷ empty',
        'none',
        compare(durable.graphile.full, durable.graphile.empty),
      ),
      ratioClaim('pg-boss’s fetch, full ÷ empty', 'none', compare(durable.boss.full, durable.boss.empty)),
    ],
    measurements: [
      ...rows('statement', durable.tend),
      ...rows('statement, not waiting for the disk', inMemory.tend),
      ...rows('graphile-worker’s claim', durable.graphile),
      ...rows('pg-boss’s fetch', durable.boss),
      toMeasurement('`tend run-due-tasks`, empty', ticks.empty),
      toMeasurement('`tend run-due-tasks`, full', ticks.full),
    ],
  };
}

interface Side {
  empty: BenchDatabase;
  full: BenchDatabase;
  open: typeof graphileLook | typeof tendLook;
}

interface Times {
  empty: number[];
  full: number[];
}

function rows(subject: string, times: Times): Measurement[] {
  return [
    { subject: `${subject}, empty`, columns: { 'wall ms': times.empty } },
    { subject: `${subject}, full`, columns: { 'wall ms': times.full } },
  ];
}

async function openSides(bench: Bench) {
  const ours = (name: string) => bench.createDatabase(name, { isMigrated: true });
  const sides = {
    tend: { empty: await ours('tables_empty'), full: await ours('tables_full'), open: tendLook },
    graphile: {
      empty: await createGraphileDatabase(bench, 'graphile_empty'),
      full: await createGraphileDatabase(bench, 'graphile_full'),
      open: graphileLook,
    },
    boss: {
      empty: await createBossDatabase(bench, 'boss_empty'),
      full: await createBossDatabase(bench, 'boss_full'),
      open: bossLook,
    },
  };
  // The first tick of all tells the database its kinds, and waiting tasks are looked through for that once.
  for (const database of [sides.tend.empty, sides.tend.full]) {
    await measureProgram(tend(bench, database, 'run-due-tasks'));
  }
  await Promise.all([
    fillTend(sides.tend.full),
    fillGraphile(sides.graphile.full),
    fillBoss(sides.boss.full),
  ]);
  for (const { empty, full } of Object.values(sides)) {
    for (const { client } of [empty, full]) await client.query('vacuum analyze');
  }
  await sides.tend.full.client.query('checkpoint');
  return sides;
}

/** Lets every side look at its empty and its full table, all in turn. */
async function measureLooks<Name extends string>(sides: Record<Name, Side>): Promise<Record<Name, Times>> {
  await using stack = new AsyncDisposableStack();
  const times: Partial<Record<Name, Times>> = {};
  const looks: { look(): Promise<void>; into: number[] }[] = [];
  // Object.entries forgets the type of the keys
  for (const [name, { open, empty, full }] of Object.entries<Side>(sides) as [Name, Side][]) {
    const into: Times = { empty: [], full: [] };
    times[name] = into;
    looks.push({ look: stack.use(await open(empty)).look, into: into.empty });
    looks.push({ look: stack.use(await open(full)).look, into: into.full });
  }
  for (let pair = -20; pair < statementPairs; pair++) {
    for (const { look, into } of looks) {
      const started = performance.now();
      await look();
      const elapsed = performance.now() - started;
      if (pair >= 0) into.push(elapsed);
    }
  }
  return times as Record<Name, Times>; // every name of `sides` has just been given its own
}
