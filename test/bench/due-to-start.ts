import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, BenchDatabase } from './bench.ts';
import { createBossDatabase, createGraphileDatabase } from './install-peers.ts';
import { graphileWorker, pgBoss, tend } from './programs.ts';
import type { BenchResult, Measurement } from './results.ts';
import { type StartedProgram, startProgram } from './start-program.ts';

const samples = 20;
/** Far enough apart that a pg-boss worker, which takes one job in two seconds, keeps up. */
const spacingMs = 500;
const bossQueues = ['noop0', 'noop1', 'noop2', 'noop3', 'noop4', 'noop5', 'noop6', 'noop7'];

/** How long a due task waits until it is claimed. */
export async function dueToStart(bench: Bench): Promise<BenchResult> {
  const count = Math.min(samples, bench.pairs);
  const { ticking, added, firstWord } = await underTicks(bench, count);
  const graphile = await underGraphile(bench, count);
  const boss = await underBoss(bench, count);
  return {
    title: 'Due to start',
    method: `A task that does nothing is enqueued at ${count} random moments, due at once, and as many due up to two seconds later; what is measured is the time from when it is due until it is claimed, both by the server’s clock. \`tend run-due-tasks\` is started once a second here; **under cron it is once a minute, and that minute is what a task waits at most, half of it on average**. What a tick adds itself is in the rows below: from the start of its process until it claims, and until a command of the application’s own (\`date\`) says the time. A graphile-worker daemon with its defaults hears of new jobs by NOTIFY, and looks every 2 s for those that were enqueued to run later; a pg-boss worker with its defaults looks every 2 s, for one job. Both hold their sessions all the time. No bound.`,
    claims: [],
    measurements: [
      row('`tend run-due-tasks` every second', ticking),
      row('`graphile-worker`, its daemon', graphile),
      row('pg-boss, a worker', boss),
      { subject: 'start of a tick → claim', columns: { ms: added } },
      { subject: 'start of a tick → first word of a command', columns: { ms: firstWord } },
    ],
  };
}

/** Waits from due until claimed. */
interface Waits {
  atOnce: number[];
  later: number[];
}

function row(subject: string, { atOnce, later }: Waits): Measurement {
  return { subject, columns: { 'due at once, ms': atOnce, 'due later, ms': later } };
}

type Enqueue = (delayMs: number, nth: number) => Promise<unknown>;

/** Enqueues at random moments and waits until `select waited_ms, delay_ms …` has an answer for each. */
async function sample(
  { client }: BenchDatabase,
  options: { count: number; enqueue: Enqueue; started: string },
): Promise<Waits> {
  for (let nth = 0; nth < options.count * 2; nth++) {
    await sleep(spacingMs * (0.5 + Math.random()));
    await options.enqueue(nth % 2 === 0 ? 0 : 200 + Math.random() * 1800, nth);
  }
  for (let tries = 0; tries < 600; tries++) {
    const { rows } = await client.query<{ waited_ms: number; delay_ms: number }>(options.started);
    if (rows.length >= options.count * 2) {
      const waits = (isLater: boolean) =>
        rows.filter(({ delay_ms }) => delay_ms > 0 === isLater).map(({ waited_ms }) => waited_ms);
      return { atOnce: waits(false), later: waits(true) };
    }
    await sleep(50);
  }
  throw new Error('Not every task was started within half a minute of the last one.');
}

async function underTicks(bench: Bench, count: number) {
  const database = await bench.createDatabase('due_tend', { isMigrated: true });
  const command = `\n[tasks.kinds.tell-time]\ncommand = ["/usr/bin/date", "+%s.%N"]\n`;
  await appendFile(join(database.directory, 'tend.toml'), command);
  const { client } = database;
  const over = new AbortController();
  const ticks = (async () => {
    while (!over.signal.aborted) {
      const tick = startProgram(tend(bench, database, 'run-due-tasks'));
      await Promise.all([tick.ended, sleep(1000)]);
    }
  })();
  const ticking = await sample(database, {
    count,
    enqueue: (delayMs) =>
      client.query(
        `select tend.enqueue('noop', jsonb_build_object('delay_ms', $1::float8),
                             run_at => now() + $1::float8 * interval '1 ms')`,
        [delayMs],
      ),
    started: `select extract(epoch from a.started_at - t.run_at)::float8 * 1000 as waited_ms,
                     (t.payload ->> 'delay_ms')::float8 as delay_ms
                from tend.tasks t join tend.attempts a on a.task_id = t.id`,
  }).finally(() => over.abort());
  await ticks;
  const added: number[] = [];
  const firstWord: number[] = [];
  for (let nth = 0; nth < count; nth++) {
    const { rows: enqueued } = await client.query<{ id: string }>(`select tend.enqueue('tell-time') as id`);
    const tick = startProgram(tend(bench, database, 'run-due-tasks'));
    await tick.ended;
    const { rows } = await client.query<{ claimed_ms: number; said_ms: number }>(
      `select extract(epoch from started_at)::float8 * 1000 as claimed_ms,
              output_tail::float8 * 1000 as said_ms from tend.attempts where task_id = $1`,
      [enqueued[0]?.id],
    );
    added.push((rows[0]?.claimed_ms ?? Number.NaN) - tick.startedAtMs);
    firstWord.push((rows[0]?.said_ms ?? Number.NaN) - tick.startedAtMs);
  }
  return { ticking, added, firstWord };
}

async function underGraphile(bench: Bench, count: number): Promise<Waits> {
  const database = await createGraphileDatabase(bench, 'due_graphile');
  const { client, directory } = database;
  await client.query('create table started (waited_ms float8, delay_ms float8)');
  const task = `module.exports = async ({ delay_ms }, { job, query }) =>
  await query('insert into started values ($1, $2)', [job.locked_at - job.run_at, delay_ms]);\n`;
  await writeFile(join(directory, 'tasks', 'note.js'), task);
  await using daemon = startProgram(graphileWorker(bench, database));
  await untilConnected(database, daemon);
  return await sample(database, {
    count,
    enqueue: (delayMs) =>
      client.query(
        `select graphile_worker.add_job('note', json_build_object('delay_ms', $1::float8),
                                        run_at => now() + $1::float8 * interval '1 ms')`,
        [delayMs],
      ),
    started: 'select waited_ms, delay_ms from started',
  });
}

async function underBoss(bench: Bench, count: number): Promise<Waits> {
  const database = await createBossDatabase(bench, 'due_boss', bossQueues);
  const { client } = database;
  await using worker = startProgram(pgBoss(bench, database, 'work', ...bossQueues));
  await untilConnected(database, worker);
  return await sample(database, {
    count,
    // What boss.send() writes, by the server's clock as on the other sides.
    enqueue: (delayMs, nth) =>
      client.query(
        `insert into pgboss.job (name, data, start_after)
         values ($2, jsonb_build_object('delay_ms', $1::float8), now() + $1::float8 * interval '1 ms')`,
        [delayMs, bossQueues[nth % bossQueues.length]],
      ),
    started: `select extract(epoch from started_on - start_after)::float8 * 1000 as waited_ms,
                     (data ->> 'delay_ms')::float8 as delay_ms
                from pgboss.job where started_on is not null and data ? 'delay_ms'`,
  });
}

/** A daemon needs a moment to connect; afterwards it is given another to settle. */
async function untilConnected({ client }: BenchDatabase, daemon: StartedProgram): Promise<void> {
  for (let tries = 0; tries < 300 && !daemon.hasEnded; tries++) {
    const { rows } = await client.query(
      `select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
          and backend_type = 'client backend'`,
    );
    if (rows.length > 0) {
      await sleep(2000);
      return;
    }
    await sleep(100);
  }
  throw new Error('The daemon did not connect.');
}
