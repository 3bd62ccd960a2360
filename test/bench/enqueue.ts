import type { Bench, BenchDatabase } from './bench.ts';
import { measureProgram } from './measure-program.ts';
import { tend } from './programs.ts';
import { type BenchResult, ratioClaim } from './results.ts';
import { compare } from './statistics.ts';

/** Statements a pair sends on each side, each committed by itself. */
const statements = 500;
const tasksAtOnce = 100_000;
const atOnceRounds = 3;

const columns = `kind, payload, run_at, queue, priority, max_attempts, max_attempts_given, on_lost, created_by`;
const values = `now(), 'default', 0, 5, false, 'retry', session_user`;

const enqueueOne = 'select tend.enqueue($1, $2::jsonb)';
const insertOne = `insert into tend.tasks (${columns}) values ($1, $2::jsonb, ${values}) returning id`;
const enqueueMany = `
  select count(tend.enqueue('noop', jsonb_build_object('id', n))) from generate_series(1, ${tasksAtOnce}) n`;
const insertMany = `
  insert into tend.tasks (${columns})
  select 'noop', jsonb_build_object('id', n), ${values} from generate_series(1, ${tasksAtOnce}) n`;

/** What `tend.enqueue` costs an application beside a bare insert of the same row. */
export async function enqueue(bench: Bench): Promise<BenchResult> {
  const database = await bench.createDatabase('enqueue', { isMigrated: true });
  // Tells the database its kinds, which enqueue looks up.
  await measureProgram(tend(bench, database, 'run-due-tasks'));
  const single = { enqueue: new Array<number>(), insert: new Array<number>() };
  for (let pair = -1; pair < bench.pairs; pair++) {
    const enqueueMs = await send(database, enqueueOne);
    const insertMs = await send(database, insertOne);
    if (pair < 0) continue;
    single.enqueue.push(enqueueMs);
    single.insert.push(insertMs);
  }
  const atOnce = { enqueue: new Array<number>(), insert: new Array<number>() };
  for (let round = 0; round < Math.min(atOnceRounds, bench.pairs); round++) {
    atOnce.enqueue.push(await sendAtOnce(database, enqueueMany));
    atOnce.insert.push(await sendAtOnce(database, insertMany));
  }
  return {
    title: 'Enqueue',
    method: `\`select tend.enqueue($1, $2)\` against \`insert into tend.tasks … returning id\` of the very same row, through one session of node-postgres as an application has it, each statement committed by itself: ${statements} of one, ${statements} of the other, in turn. Then ${tasksAtOnce.toLocaleString('en-US')} rows in one statement and one transaction, \`select tend.enqueue(…) from generate_series(…)\` against \`insert … select … from generate_series(…)\`, ${atOnceRounds} rounds into an empty table: there is no commit in it, the row itself is cheap when there are many, and what remains is that a function is called, checks what it was given and looks up the kind, for each row. No bound for that.`,
    claims: [
      ratioClaim(
        'enqueues a second, each committed, tend.enqueue ÷ bare insert',
        'at least 0.8',
        compare(single.insert, single.enqueue),
      ),
      ratioClaim('the same in one transaction', 'none', compare(atOnce.insert, atOnce.enqueue)),
    ],
    measurements: [
      rates('`tend.enqueue`, each committed', statements, single.enqueue),
      rates('bare insert, each committed', statements, single.insert),
      rates('`tend.enqueue`, one transaction', tasksAtOnce, atOnce.enqueue),
      rates('bare insert, one transaction', tasksAtOnce, atOnce.insert),
    ],
  };
}

function rates(subject: string, count: number, wallMs: readonly number[]) {
  return {
    subject,
    columns: {
      'µs a task': wallMs.map((ms) => (ms * 1000) / count),
      'tasks/s': wallMs.map((ms) => (count / ms) * 1000),
    },
  };
}

async function send({ client }: BenchDatabase, text: string): Promise<number> {
  const started = performance.now();
  for (let id = 0; id < statements; id++) await client.query(text, ['noop', `{"id": ${id}}`]);
  return performance.now() - started;
}

async function sendAtOnce({ client }: BenchDatabase, text: string): Promise<number> {
  await client.query('truncate tend.tasks, tend.attempts, tend.deliveries');
  await client.query('checkpoint');
  const started = performance.now();
  await client.query(text);
  return performance.now() - started;
}
