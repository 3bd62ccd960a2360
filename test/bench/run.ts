// npm run bench              all benchmarks; writes docs/benchmarks.md; exits 1 when a bound is missed
// node test/bench/run.ts --only idle-tick --pairs 5
import { parseArgs } from 'node:util';
import { backup } from './backup.ts';
import { type Bench, openBench } from './bench.ts';
import { drain } from './drain.ts';
import { dueToStart } from './due-to-start.ts';
import { enqueue } from './enqueue.ts';
import { formatResult } from './format-results.ts';
import { fullTables } from './full-tables.ts';
import { heldSnapshot } from './held-snapshot.ts';
import { help } from './help.ts';
import { idleTick } from './idle-tick.ts';
import { killedWorker } from './killed-worker.ts';
import { mail } from './mail.ts';
import { measuringObstacle } from './measure-program.ts';
import { restore } from './restore.ts';
import { type BenchResult, isKept } from './results.ts';
import { retention } from './retention.ts';
import { translations } from './translations.ts';
import { describeMachine, writeDocument } from './write-document.ts';

const benchmarks: Record<string, (bench: Bench) => Promise<BenchResult>> = {
  'idle-tick': idleTick,
  help,
  enqueue,
  drain,
  'due-to-start': dueToStart,
  'killed-worker': killedWorker,
  'full-tables': fullTables,
  'held-snapshot': heldSnapshot,
  retention,
  backup,
  restore,
  translations,
  mail,
};
const names = Object.keys(benchmarks);
const defaultPairs = 40;

const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true, default: names }, pairs: { type: 'string' } },
});
const pairs = Number(values.pairs ?? defaultPairs);
const unknown = values.only.filter((name) => !names.includes(name));
const obstacle =
  measuringObstacle() ??
  (unknown.length > 0
    ? `No benchmark "${unknown.join('", "')}": there is ${names.join(', ')}.`
    : undefined) ??
  (Number.isInteger(pairs) && pairs > 0 ? undefined : '--pairs is a whole number from 1.');
if (obstacle !== undefined) {
  process.stderr.write(`${obstacle}\n`);
  process.exit(64);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const results: BenchResult[] = [];
{
  await using bench = await openBench({ pairs });
  const machine = await describeMachine(bench.serverVersion);
  process.stdout.write(`${machine}; ${pairs} pairs\n`);
  for (const name of names.filter((candidate) => values.only.includes(candidate))) {
    const result = await benchmarks[name]?.(bench);
    if (result === undefined) continue;
    results.push(result);
    process.stdout.write(`\n${result.title}\n${formatResult(result)}`);
  }
  const isFull = results.length === names.length && pairs >= defaultPairs;
  if (isFull) await writeDocument({ results, machine, pairs });
}
const missed = results.flatMap(({ claims }) => claims.filter((claim) => !isKept(claim)));
for (const { what, bound, measured } of missed) {
  process.stdout.write(`missed: ${what}: ${measured.toPrecision(3)}, ${bound}\n`);
}
process.exitCode = missed.length > 0 ? 1 : 0;
