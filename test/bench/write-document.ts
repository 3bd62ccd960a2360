import { readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { formatResult } from './format-results.ts';
import type { BenchResult } from './results.ts';

const document = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url));

/** Writes docs/benchmarks.md from one full run. */
export async function writeDocument(options: {
  results: readonly BenchResult[];
  machine: string;
  pairs: number;
}): Promise<void> {
  const { results, machine, pairs } = options;
  const sections = results.map(
    (result) => `## ${result.title}\n\n${wrap(result.method)}\n\n${formatResult(result)}`,
  );
  const introduction = wrap(
    `Written by \`npm run bench\`, which starts a PostgreSQL of its own and exits with 1 when a bound is missed. What is compared runs in turn, A B A B …, ${pairs} pairs unless told otherwise; the ratio is taken pair by pair, and its median is what the bound is for. “Of the minima” compares the best run of each. Trust ratios more than milliseconds.`,
  );
  const text = ['# Benchmarks', introduction, `Machine: ${machine}.`, ...sections].join('\n\n');
  await writeFile(document, `${text.trimEnd()}\n`);
}

/** Processors and versions; nothing that names the machine or the day. */
export async function describeMachine(serverVersion: string): Promise<string> {
  const processors = cpus();
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  return [
    `${processors.length} × ${processors[0]?.model ?? process.arch}`,
    `${memoryGiB} GiB`,
    `Node ${process.versions.node}`,
    `PostgreSQL ${serverVersion.split(' ')[0]} (shared_buffers 256 MB, else its defaults), over the unix socket`,
    `graphile-worker ${await versionOf('graphile-worker')}`,
    `pg-boss ${await versionOf('pg-boss')}`,
  ].join(', ');
}

async function versionOf(packageName: string): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.resolve(packageName)), 'utf8');
  const { version }: { version: string } = JSON.parse(text);
  return version;
}

function wrap(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last.length + word.length >= 110) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}
