import { openDatabase } from '../../src/database/open-database.ts';
import { beginTick } from '../../src/tasks/begin-tick.ts';
import { workerIdentity } from '../../src/tasks/worker-identity.ts';
import type { Bench, BenchDatabase } from './bench.ts';
import { measureInTurn, toMeasurement } from './measure-in-turn.ts';
import { measureProgram } from './measure-program.ts';
import { tend } from './programs.ts';
import { type BenchResult, ratioClaim } from './results.ts';
import { compare } from './statistics.ts';

const day = 24 * 60 * 60 * 1000;
const statementPairs = 200;

/** What a million future and a million finished tasks cost a tick that has nothing to do. */
export async function fullTables(bench: Bench): Promise<BenchResult> {
  const empty = await bench.createDatabase('tables_empty', { isMigrated: true });
  const full = await bench.createDatabase('tables_full', { isMigrated: true });
  // The first tick of all tells the database its kinds, and waiting tasks are looked through for that once.
  for (const database of [empty, full]) await measureProgram(tend(bench, database, 'run-due-tasks'));
  await fill(full);
  for (const { client } of [empty, full]) await client.query('vacuum analyze tend.tasks');
  await full.client.query('checkpoint');

  const ticks = await measureInTurn(
    { empty: tend(bench, empty, 'run-due-tasks'), full: tend(bench, full, 'run-due-tasks') },
    bench.pairs,
  );
  const durable = await measureStatements(empty, full);
  for (const { client, connection } of [empty, full]) {
    await client.query(`alter database ${connection.database} set synchronous_commit = off`);
  }
  const inMemory = await measureStatements(empty, full);
  return {
    title: 'Full tables',
    method: `One database is empty, the other holds 1,000,000 future and 1,000,000 finished tasks (nine in ten succeeded, one in ten failed; none old enough to prune); both are vacuumed and analysed. The statement of an idle tick, sent through one session each, in turn, ${statementPairs} pairs: as it is, where most of it is the commit of the host’s row, and with synchronous_commit off, where the looking is what remains. Then the whole program.`,
    claims: [
      ratioClaim(
        'statement of an idle tick, full ÷ empty',
        'at most 1.5',
        compare(durable.full, durable.empty),
      ),
      ratioClaim(
        'the same without waiting for the disk',
        'at most 1.5',
        compare(inMemory.full, inMemory.empty),
      ),
      ratioClaim(
        'wall of an idle tick, full ÷ empty',
        'at most 1.5',
        compare(ticks.full.wallMs, ticks.empty.wallMs),
      ),
    ],
    measurements: [
      { subject: 'statement, empty', columns: { 'wall ms': durable.empty } },
      { subject: 'statement, full', columns: { 'wall ms': durable.full } },
      { subject: 'statement, empty, not waiting for the disk', columns: { 'wall ms': inMemory.empty } },
      { subject: 'statement, full, not waiting for the disk', columns: { 'wall ms': inMemory.full } },
      toMeasurement('`tend run-due-tasks`, empty', ticks.empty),
      toMeasurement('`tend run-due-tasks`, full', ticks.full),
    ],
  };
}

async function fill({ client }: BenchDatabase): Promise<void> {
  await client.query(`
    insert into tend.tasks (kind, run_at)
    select 'noop', now() + interval '1 day' + n * interval '1 s' from generate_series(1, 1000000) n`);
  await client.query(`
    insert into tend.tasks (kind, run_at, state, attempt, started_at, finished_at, last_error)
    select 'noop', at, case when n % 10 = 0 then 'failed' else 'succeeded' end, 1, at, at,
           case when n % 10 = 0 then 'it failed' end
      from generate_series(1, 1000000) n, lateral (select now() - n * interval '10 ms' as at) as time`);
}

async function measureStatements(empty: BenchDatabase, full: BenchDatabase) {
  const worker = workerIdentity('bench');
  await using emptyDb = openDatabase({ connection: empty.connection, applicationName: 'bench' });
  await using fullDb = openDatabase({ connection: full.connection, applicationName: 'bench' });
  const times = { empty: new Array<number>(), full: new Array<number>() };
  for (let pair = -20; pair < statementPairs; pair++) {
    for (const [name, db] of [['empty', emptyDb] as const, ['full', fullDb] as const]) {
      const started = performance.now();
      const { isAnythingDue, hasFinishedToPrune } = await beginTick({
        ...{ db, worker, keepSucceededMs: 7 * day, keepEndedMs: 30 * day },
      });
      const elapsed = performance.now() - started;
      if (isAnythingDue || hasFinishedToPrune) throw new Error(`The tick on the ${name} table was not idle.`);
      if (pair >= 0) times[name].push(elapsed);
    }
  }
  return times;
}
