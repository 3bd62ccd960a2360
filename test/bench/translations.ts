import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { debianPackage } from '../support/debian-package.ts';
import type { Bench, BenchDatabase } from './bench.ts';
import { toMeasurement } from './measure-in-turn.ts';
import { measureProgram, type Program } from './measure-program.ts';
import { tend } from './programs.ts';
import { type BenchResult, type Claim, ratioClaim } from './results.ts';
import { compare, median } from './statistics.ts';

const copies = 40;
const maxPairs = 5;

type Costs = { wallMs: number[]; cpuMs: number[]; peakMiB: number[] };

/** What compiling costs against one msgfmt process per file. */
export async function translations(bench: Bench): Promise<BenchResult> {
  const root = debianPackage('python3-django');
  if (root === undefined) throw new Error('The Debian package python3-django cannot be fetched.');
  const database = await bench.createDatabase('translations', { isMigrated: true });
  const small = join(database.directory, 'small');
  const large = join(database.directory, 'large');
  const counts = await copyCatalogs(join(root, 'usr/lib/python3/dist-packages/django'), small);
  const largeMiB = await enlarge(join(small, 'conf/locale'), large);
  const pairs = Math.min(bench.pairs, maxPairs);
  const django = await measure(bench, database, small, pairs);
  const big = await measure(bench, database, large, Math.min(pairs, 3));
  const peak: Claim = {
    ...{ what: 'peak RSS of the large set, MiB', bound: 'at most 200' },
    ...{ measured: median(big.compile.peakMiB), ofMinima: Math.min(...big.compile.peakMiB) },
  };
  const cpu = (of: typeof django, what: 'compile' | 'unchanged') => compare(of[what].cpuMs, of.msgfmt.cpuMs);
  const wall = (of: typeof django, what: 'compile' | 'unchanged') =>
    compare(of[what].wallMs, of.msgfmt.wallMs);
  return {
    title: 'Translations',
    method: `The ${counts.toLocaleString('en-US')} catalogs of Debian's python3-django, and one of ${largeMiB.toFixed(0)} MiB made of them: each catalog of its core with ${copies} more copies of every message in contexts of their own. In turn: a shell that runs \`msgfmt\` (no checks) once for each file, \`tend compile-translations\` with its checks, read-back, fsync and state after the .mo files were removed, and again where nothing has changed.`,
    claims: [
      ratioClaim('CPU of many small catalogs ÷ msgfmt', 'at most 0.2', cpu(django, 'compile')),
      ratioClaim('CPU of the large set ÷ msgfmt', 'at most 0.35', cpu(big, 'compile')),
      ratioClaim('CPU of many unchanged catalogs ÷ msgfmt', 'at most 0.1', cpu(django, 'unchanged')),
      ratioClaim('CPU of the large set unchanged ÷ msgfmt', 'at most 0.1', cpu(big, 'unchanged')),
      ratioClaim('wall of many small catalogs ÷ msgfmt', 'none', wall(django, 'compile')),
      ratioClaim('wall of the large set ÷ msgfmt', 'none', wall(big, 'compile')),
      ratioClaim('wall of many unchanged catalogs ÷ msgfmt', 'none', wall(django, 'unchanged')),
      peak,
    ],
    measurements: [
      toMeasurement('small, `msgfmt` for each file', django.msgfmt),
      toMeasurement('small, tend', django.compile),
      toMeasurement('small, tend, unchanged', django.unchanged),
      toMeasurement('large, `msgfmt` for each file', big.msgfmt),
      toMeasurement('large, tend', big.compile),
      toMeasurement('large, tend, unchanged', big.unchanged),
    ],
  };
}

async function measure(bench: Bench, database: BenchDatabase, folder: string, pairs: number) {
  const program = tend(bench, database, 'compile-translations', '--no-restart', folder);
  const script = `find . -name '*.po' | while read -r f; do msgfmt -o "\${f%.po}.mo" "$f" || exit 1; done`;
  const msgfmt: Program = { file: '/bin/sh', args: ['-c', script], cwd: folder, env: program.env };
  const none = (): Costs => ({ wallMs: [], cpuMs: [], peakMiB: [] });
  const costs = { msgfmt: none(), compile: none(), unchanged: none() };
  for (let round = -1; round < pairs; round++) {
    for (const name of ['msgfmt', 'compile', 'unchanged'] as const) {
      if (name !== 'unchanged') await removeCompiled(folder);
      const cost = await measureProgram(name === 'msgfmt' ? msgfmt : program);
      if (round < 0) continue; // for the caches
      costs[name].wallMs.push(cost.wallMs);
      costs[name].cpuMs.push(cost.cpuMs);
      costs[name].peakMiB.push(cost.peakMiB);
    }
  }
  return costs;
}

async function removeCompiled(folder: string): Promise<void> {
  for (const file of await filesOf(folder, '.mo')) await rm(join(folder, file));
}

async function filesOf(folder: string, ending: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(ending));
}

async function copyCatalogs(from: string, to: string): Promise<number> {
  const files = await filesOf(from, '.po');
  for (const file of files) {
    await mkdir(dirname(join(to, file)), { recursive: true });
    await cp(join(from, file), join(to, file));
  }
  return files.length;
}

/** Every message again and again in contexts of its own; returns the MiB. */
async function enlarge(from: string, to: string): Promise<number> {
  let length = 0;
  for (const file of await filesOf(from, 'django.po')) {
    const text = await readFile(join(from, file), 'utf8');
    const entries = text
      .trimEnd()
      .split('\n\n')
      .slice(1)
      .filter((entry) => /^msgid /m.test(entry) && !/^#~|^msgctxt /m.test(entry));
    const more = Array.from({ length: copies }, (_, copy) =>
      entries.map((entry) => entry.replace(/^msgid /m, `msgctxt "copy ${copy}"\nmsgid `)),
    );
    const large = `${[text.trimEnd(), ...more.flat()].join('\n\n')}\n`;
    length += Buffer.byteLength(large);
    await mkdir(dirname(join(to, file)), { recursive: true });
    await writeFile(join(to, file), large);
  }
  return length / 1024 / 1024;
}
