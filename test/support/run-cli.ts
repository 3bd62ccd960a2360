import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
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
  /** `stdin` is given when this has come on stdout: Ctrl-C, for one, must not meet a program that only starts. */
  typedAt?: string;
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

/** What cron gives, and TMPDIR: see `startCli`. */
export function cronEnvironment(home: string): Record<string, string> {
  const { temporaryDirectory } = testRun();
  return {
    ...{ PATH: '/usr/bin:/bin', HOME: home, LOGNAME: 'nobody', SHELL: '/bin/sh' },
    TMPDIR: temporaryDirectory,
  };
}

/** Runs the built CLI to its end, as cron would: see `startCli`. */
export async function runCli(args: readonly string[], options: RunCliOptions = {}): Promise<CliResult> {
  const { result } = await startCli(args, options);
  return await result;
}

/**
 * Starts `bin/run.js` on the built program with the environment cron gives: PATH, HOME, LOGNAME and SHELL, no USER, no
 * LANG, no terminal. HOME is a directory with nothing but the cache that earlier runs of the program have left, as
 * after a server's first minute. TMPDIR is added so that the end of the run sees files left behind.
 */
export async function startCli(args: readonly string[], options: RunCliOptions = {}): Promise<StartedCli> {
  return await start([node, join(root, 'bin/run.js'), ...args], options);
}

/** Runs the built CLI on a terminal to its end: see `startCliOnTerminal`. */
export async function runCliOnTerminal(
  args: readonly string[],
  options: RunCliOptions = {},
): Promise<CliResult> {
  const { result } = await startCliOnTerminal(args, options);
  return await result;
}

/**
 * Starts the CLI on a terminal of its own (script(1), which every Debian has): `stdin` is what is typed there, and stdout
 * holds the whole screen, what was typed and stderr included.
 */
export async function startCliOnTerminal(
  args: readonly string[],
  options: RunCliOptions = {},
): Promise<StartedCli> {
  const words = [node, join(root, 'bin/run.js'), ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  const env = { TERM: 'xterm', ...options.env };
  return await start(['script', '-qec', words.join(' '), '/dev/null'], { ...options, env });
}

async function start(
  [program = '', ...args]: readonly string[],
  options: RunCliOptions,
): Promise<StartedCli> {
  const run = testRun();
  const home = await mkdtemp(join(run.temporaryDirectory, 'home-'));
  await symlink(run.cacheDirectory, join(home, '.cache'));
  const child = spawn(program, args, {
    cwd: options.cwd ?? home,
    env: { ...cronEnvironment(home), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 60_000,
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => {}); // a program that does not read its input is allowed to go
  const result = finish(child, home);
  result.catch(() => {});
  type(child, options);
  await once(child, 'spawn');
  return { child, pid: child.pid ?? 0, result };
}

/** Gives the child its standard input: at once, or when it shows that it waits for it. */
function type(child: ChildProcess, { stdin = '', typedAt }: RunCliOptions): void {
  if (typedAt === undefined) {
    child.stdin?.end(stdin);
    return;
  }
  let shown = '';
  child.stdout?.on('data', (chunk) => {
    if (shown.includes(typedAt)) return;
    shown += String(chunk);
    if (shown.includes(typedAt)) child.stdin?.end(stdin);
  });
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
