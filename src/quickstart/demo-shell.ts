import { readFile } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { TendError } from '../errors.ts';
import { runTool } from '../processes/run-tool.ts';
import { ToolError } from '../processes/tool-error.ts';
import type { Transcript } from './transcript.ts';

/** The terminal the quickstart types into: each command is shown, run as a program of its own, and its output shown. */
export interface DemoShell {
  /** Runs tend itself and returns what it printed. */
  tend(...args: string[]): Promise<string>;
  psql(...args: string[]): Promise<string>;
  /** The same, without showing anything. */
  psqlSilently(...args: string[]): Promise<string>;
  cat(file: string): Promise<void>;
  /** A path as it is typed: relative to the working directory where it is below it. */
  shown(path: string): string;
}

export interface CreateDemoShellOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** The program `tend` stands for, with its first arguments. */
  tend: readonly string[];
  binaries: string;
  /** Exported variables. */
  variables: Record<string, string>;
  transcript: Transcript;
  signal: AbortSignal;
}

export function createDemoShell(options: CreateDemoShellOptions): DemoShell {
  const { cwd, transcript } = options;
  const shown = (path: string): string => shownPath(cwd, path);
  const show = async (name: Program, args: readonly string[]): Promise<string> => {
    transcript.command([name, ...args].map(shellWord).join(' '));
    const stdout = await runTyped({ ...options, name, args, say: transcript.output });
    transcript.output(stdout);
    return stdout;
  };
  return {
    tend: (...args) => show('tend', args),
    psql: (...args) => show('psql', args),
    psqlSilently: (...args) => runTyped({ ...options, name: 'psql', args, say: () => {} }),
    async cat(file) {
      transcript.command(`cat ${shellWord(shown(file))}`);
      transcript.output(await readFile(file, 'utf8'));
    },
    shown,
  };
}

type Program = 'tend' | 'psql';

interface TypedCommand extends CreateDemoShellOptions {
  name: Program;
  args: readonly string[];
  /** Gets every line of the standard error. */
  say: (line: string) => void;
}

async function runTyped({ name, args, say, ...options }: TypedCommand): Promise<string> {
  const { cwd, env, tend, binaries, variables, signal } = options;
  const [file = '', ...first] = name === 'tend' ? tend : [join(binaries, 'psql')];
  try {
    const { stdout } = await runTool({
      file,
      args: [...first, ...args],
      cwd,
      baseEnv: env,
      // CI: tend says in a line what it did, as it does on a terminal.
      env: { ...variables, ...(name === 'tend' ? { CI: '1' } : { PGCLIENTENCODING: 'UTF8', LC_ALL: 'C' }) },
      stdout: 'capture',
      log: { debug: say, info() {}, warn() {} },
      timeoutMs: 120_000,
      signal,
    });
    return stdout;
  } catch (error) {
    if (!(error instanceof ToolError) || error.code !== 'TOOL_FAILED') throw error;
    const typed = [name, ...args].map(shellWord).join(' ');
    const { toolExitCode = 'none', details = '' } = error;
    throw new TendError('TASK_FAILED', `"${typed}" failed with exit code ${toolExitCode}.`, {
      cause: error,
      details,
    });
  }
}

/** Relative to `cwd` where it is below it. */
export function shownPath(cwd: string, path: string): string {
  const below = relative(cwd, path);
  return below === '' || /^\.\.(\/|$)/.test(below) || isAbsolute(below) ? path : below;
}

/** A word as sh(1) reads it back. */
export function shellWord(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
