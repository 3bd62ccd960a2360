import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { testRun } from './test-run.ts';

export interface RunCliOptions {
  /** Added to the bare environment of a cron job. */
  env?: Record<string, string>;
  cwd?: string;
  stdin?: string | Buffer;
  /** The child is killed after this long, default 60 s: the result then has `signal: 'SIGKILL'`. */
  timeoutMs?: number;
}

export interface CliResult {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A started CLI: `child.kill(…)` sends it signals, `result` resolves when it is gone. */
export interface StartedCli {
  child: ChildProcess;
  pid: number;
  result: Promise<CliResult>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const node = nodeProgram();

/** Runs the built CLI to its end, as cron would: see `startCli`. */
export async function runCli(args: readonly string[], options: RunCliOptions = {}): Promise<CliResult> {
  const { result } = await startCli(args, options);
  return await result;
}

/**
 * Starts `bin/run.js` on the built program with the environment cron gives: PATH, HOME (an empty directory), LOGNAME
 * and SHELL, no USER, no LANG, no terminal. TMPDIR is added so that the end of the run sees files left behind.
 */
export async function startCli(args: readonly string[], options: RunCliOptions = {}): Promise<StartedCli> {
  const run = testRun();
  const home = await mkdtemp(join(run.temporaryDirectory, 'home-'));
  const child = spawn(node, [join(root, 'bin/run.js'), ...args], {
    cwd: options.cwd ?? home,
    env: {
      PATH: '/usr/bin:/bin',
      HOME: home,
      LOGNAME: 'nobody',
      SHELL: '/bin/sh',
      TMPDIR: run.temporaryDirectory,
      ...options.env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 60_000,
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => {}); // a program that does not read its input is allowed to go
  child.stdin.end(options.stdin ?? '');
  const result = finish(child, home);
  result.catch(() => {});
  await once(child, 'spawn');
  return { child, pid: child.pid ?? 0, result };
}

async function finish(child: ChildProcess, home: string): Promise<CliResult> {
  const closed = once(child, 'close');
  try {
    const [stdout, stderr] = await Promise.all([readAll(child.stdout), readAll(child.stderr)]);
    await closed;
    return { exitCode: child.exitCode, signal: child.signalCode, stdout, stderr };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function readAll(stream: NodeJS.ReadableStream | null): Promise<string> {
  return stream === null ? '' : await text(stream);
}

/** The `node` package's own program where it is installed: the binary itself, since signals must reach it. */
function nodeProgram(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin/node');
  } catch {
    return process.execPath;
  }
}
