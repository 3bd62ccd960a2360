import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench, BenchDatabase } from './bench.ts';
import type { Program } from './measure-program.ts';

const tendEntry = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const graphileEntry = join(dirname(fileURLToPath(import.meta.resolve('graphile-worker'))), 'cli.js');

/** Node alone, doing nothing: what every program here starts from. */
export function bareNode({ home }: Bench): Program {
  return { file: process.execPath, args: ['-e', '0'], cwd: home, env: cronEnvironment(home) };
}

/** The built tend as cron starts it; what it compiles is kept below HOME, as for any user. */
export function tend({ home }: Bench, database: BenchDatabase, ...args: string[]): Program {
  return {
    file: process.execPath,
    args: [tendEntry, ...args],
    cwd: database.directory,
    env: cronEnvironment(home),
  };
}

/** graphile-worker's own command, with its line a finished task turned off. */
export function graphileWorker({ home }: Bench, database: BenchDatabase, ...args: string[]): Program {
  return {
    file: process.execPath,
    args: [graphileEntry, ...args],
    cwd: database.directory,
    env: { ...cronEnvironment(home), DATABASE_URL: database.url, NO_LOG_SUCCESS: '1' },
  };
}

/** Arguments for the setting in which graphile-worker drains fastest. */
export const batched = ['--config', fileURLToPath(new URL('peers/graphile-batched.cjs', import.meta.url))];

/** A program that uses pg-boss, of those in `peers/`: it is a library, and brings none that runs jobs. */
export function pgBoss(
  { home }: Bench,
  database: BenchDatabase,
  name: 'once' | 'drain' | 'work',
  ...args: string[]
): Program {
  return {
    file: process.execPath,
    args: [fileURLToPath(new URL(`peers/pg-boss-${name}.mjs`, import.meta.url)), ...args],
    cwd: database.directory,
    env: { ...cronEnvironment(home), DATABASE_URL: database.url },
  };
}

/** The same program with Node's compile cache, which it does not turn on itself. */
export function withCompileCache(program: Program, { home }: Bench): Program {
  return { ...program, env: { ...program.env, NODE_COMPILE_CACHE: join(home, 'compile-cache') } };
}

function cronEnvironment(home: string): Record<string, string> {
  return { PATH: '/usr/bin:/bin', HOME: home, LOGNAME: 'bench', SHELL: '/bin/sh' };
}
