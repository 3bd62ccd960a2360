import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, BenchDatabase } from './bench.ts';
import { createBossDatabase, createGraphileDatabase } from './install-peers.ts';
import { measureProgram, type Program } from './measure-program.ts';
import { graphileWorker, pgBoss, tend } from './programs.ts';
import { type BenchResult, countClaim } from './results.ts';
import { startProgram } from './start-program.ts';

const rounds = 10;
/** How often ticks come while the retry delay passes. */
const tickEveryMs = 250;

/** How a task comes back whose worker was killed with -9 in the middle of it. */
export async function killedWorker(bench: Bench): Promise<BenchResult> {
  const count = Math.min(rounds, bench.pairs);
  const ours = await killTend(bench, count);
  const graphile = await killGraphile(bench, count);
  const boss = await killBoss(bench, count);
  return {
    title: 'Killed worker',
    method: `A worker is killed with -9 while its task (\`sleep 60\`) runs, and started anew at once on the same host; ${count} rounds. A tick sees by the process id, the boot and the start time in the lease that the worker is dead, and takes its tasks back before anything else: measured from the start of that tick’s process to the row that records the lost attempt. By policy the task then waits 10 s for each attempt it has had, so that one which kills its worker does not do so in a loop; the last round waits for that, with a tick every ${tickEveryMs} ms, and measures from the kill to the second attempt. The next start of graphile-worker (\`--once\`) and of pg-boss (\`start()\` with all that runs in its background, given two seconds) leaves the task where it is: a graphile-worker daemon frees it after a fixed 4 h, pg-boss after \`expireInSeconds\`, 15 min unless told otherwise. Those were not waited for.`,
    claims: [
      countClaim(`taken back by the next tick, of ${count}`, count, ours.recovered),
      countClaim('started again exactly once, of 1', 1, ours.secondAttempts),
      {
        ...{ what: 'seconds from the kill to the second attempt', bound: 'at most 12' },
        ...{ measured: ours.toSecondAttemptMs / 1000, ofMinima: undefined },
      },
    ],
    measurements: [
      { subject: 'start of the next tick → task taken back', columns: { ms: ours.toTakenBackMs } },
      {
        subject: '`tend run-due-tasks`',
        columns: { [`freed by the next start, of ${count}`]: [ours.recovered] },
      },
      {
        subject: '`graphile-worker --once`',
        columns: { [`freed by the next start, of ${count}`]: [graphile] },
      },
      { subject: 'pg-boss', columns: { [`freed by the next start, of ${count}`]: [boss] } },
    ],
  };
}

async function killTend(bench: Bench, count: number) {
  const database = await bench.createDatabase('killed_tend', { isMigrated: true });
  const { client } = database;
  const kind = `\n[tasks.kinds.sleep]\ncommand = ["/usr/bin/sleep", "60"]\n`;
  await appendFile(join(database.directory, 'tend.toml'), kind);
  const tick = tend(bench, database, 'run-due-tasks');
  await measureProgram(tick);
  const toTakenBackMs: number[] = [];
  let killedAtMs = 0;
  let id: string | undefined;
  for (let round = 0; round < count; round++) {
    await client.query('truncate tend.tasks, tend.attempts, tend.deliveries');
    const { rows } = await client.query<{ id: string }>(`select tend.enqueue('sleep') as id`);
    id = rows[0]?.id;
    killedAtMs = await killInTheMiddle(tick, database, `tend.tasks where state = 'running'`);
    const next = startProgram(tick);
    await next.ended;
    const lost = await client.query<{ ms: number }>(
      `select extract(epoch from a.finished_at)::float8 * 1000 as ms
         from tend.attempts a join tend.tasks t on t.id = a.task_id
        where a.task_id = $1 and a.outcome = 'lost' and t.state = 'waiting'`,
      [id],
    );
    if (lost.rows[0] !== undefined) toTakenBackMs.push(lost.rows[0].ms - next.startedAtMs);
  }
  const { secondAttempts, startedMs } = await untilSecondAttempt(tick, database, id);
  return {
    recovered: toTakenBackMs.length,
    toTakenBackMs,
    secondAttempts,
    toSecondAttemptMs: startedMs - killedAtMs,
  };
}

/** Ticks until task `id` runs again, then kills that worker too. */
async function untilSecondAttempt(tick: Program, { client }: BenchDatabase, id: string | undefined) {
  for (let ticks = 0; ticks < 60; ticks++) {
    const worker = startProgram(tick);
    while (!worker.hasEnded) {
      const { rows } = await client.query<{ ms: number; attempt: number }>(
        `select extract(epoch from started_at)::float8 * 1000 as ms, attempt from tend.tasks
          where id = $1 and state = 'running'`,
        [id],
      );
      if (rows[0] !== undefined) {
        worker.kill('SIGKILL');
        await worker.ended;
        return { secondAttempts: rows[0].attempt - 1, startedMs: rows[0].ms };
      }
      await sleep(20);
    }
    await sleep(tickEveryMs);
  }
  throw new Error('The task of a killed worker never started again.');
}

async function killGraphile(bench: Bench, count: number): Promise<number> {
  const database = await createGraphileDatabase(bench, 'killed_graphile');
  const { client, directory } = database;
  const task = 'module.exports = async () => await new Promise((resolve) => setTimeout(resolve, 60_000));\n';
  await writeFile(join(directory, 'tasks', 'sleep.js'), task);
  const once = graphileWorker(bench, database, '--once');
  for (let round = 0; round < count; round++) {
    await client.query(`select graphile_worker.add_job('sleep')`);
    const running = `graphile_worker.jobs where locked_at is not null`;
    await killInTheMiddle(once, database, running, round + 1);
    await measureProgram(once);
  }
  return await freed(database, count, 'graphile_worker.jobs where locked_at is not null');
}

async function killBoss(bench: Bench, count: number): Promise<number> {
  const database = await createBossDatabase(bench, 'killed_boss');
  const { client } = database;
  const work = pgBoss(bench, database, 'work', 'noop');
  for (let round = 0; round < count; round++) {
    await client.query(`insert into pgboss.job (name, data) values ('noop', '{"sleepMs": 60000}')`);
    await killInTheMiddle(work, database, `pgboss.job where state = 'active'`, round + 1);
  }
  await using _next = startProgram(pgBoss(bench, database, 'work', 'other'));
  await sleep(2000);
  return await freed(database, count, `pgboss.job where state = 'active'`);
}

/** Starts a worker, kills it once `running` has `count` rows, and returns when that was. */
async function killInTheMiddle(
  program: Program,
  { client }: BenchDatabase,
  running: string,
  count = 1,
): Promise<number> {
  const worker = startProgram(program);
  for (let tries = 0; tries < 1000; tries++) {
    const { rows } = await client.query(`select from ${running}`);
    if (rows.length >= count) {
      worker.kill('SIGKILL');
      const killedAtMs = performance.timeOrigin + performance.now();
      await worker.ended;
      return killedAtMs;
    }
    await sleep(20);
  }
  worker.kill('SIGKILL');
  throw new Error(`${program.args.join(' ')} did not start a task.`);
}

async function freed({ client }: BenchDatabase, count: number, stuck: string): Promise<number> {
  const { rows } = await client.query(`select from ${stuck}`);
  return count - rows.length;
}
