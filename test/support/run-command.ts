import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Config } from '@oclif/core/config';
import type Status from '../../commands/status.ts';
import { type OutputStream, type ProcessHost, systemHost } from '../../src/cli/process-host.ts';
import { cronEnvironment, type RunCliOptions } from './run-cli.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** What a command of this process did; its `signal` is null, as of a program that ended by itself. */
export interface CommandResult {
  exitCode: number | null;
  signal: null;
  stdout: string;
  stderr: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
let running: Promise<unknown> = Promise.resolve();

/**
 * Runs a command in this process, with cron's environment and streams of its own: the same class, flags, output and
 * exit code as the program's, for a tenth of the work. What a process is or leaves (standard input, signals, open
 * handles, the build) is for `runCli` to show. Commands run one after the other, since exit codes are the process's.
 */
export async function runCommand(
  args: readonly string[],
  options: Pick<RunCliOptions, 'cwd' | 'env'> = {},
): Promise<CommandResult> {
  const result = running.then(() => runAlone(args, options));
  running = result.catch(() => {});
  return await result;
}

async function runAlone(
  args: readonly string[],
  { cwd = root, env }: Pick<RunCliOptions, 'cwd' | 'env'>,
): Promise<CommandResult> {
  const { id, file, argv } = findCommand(args);
  const [stdout, stderr] = [recordingStream(), recordingStream()];
  await using directory = await temporaryDirectory();
  const home = directory.path;
  const own = { stdout, stderr, cwd, home, env: { ...cronEnvironment(home), ...env } };
  // Nobody asks this process to end, and it stays when the watchdog finds that the command has not ended it.
  const host: ProcessHost = { ...systemHost(), ...own, events: new EventEmitter(), exit() {} };
  const { default: Command } = await import(pathToFileURL(file).href);
  const before = process.exitCode;
  try {
    await hostedBy(host, id, Command).run(argv, await config());
    return { exitCode: Number(process.exitCode), signal: null, stdout: stdout.text, stderr: stderr.text };
  } finally {
    process.exitCode = before;
  }
}

/** The longest words that name a command's file: `tasks show 7` is `commands/tasks/show.ts` with the argument 7. */
function findCommand(args: readonly string[]): { id: string; file: string; argv: string[] } {
  for (let count = args.length; count > 0; count--) {
    const words = args.slice(0, count);
    const path = join(root, 'commands', ...words);
    const file = [`${path}.ts`, join(path, 'index.ts')].find((candidate) => existsSync(candidate));
    if (file !== undefined) return { id: words.join(':'), file, argv: args.slice(count) };
  }
  throw new Error(`There is no command in: ${args.join(' ')}`);
}

/** One of commands/ stands for all: the import of a path that is computed has no type. */
function hostedBy(host: ProcessHost, id: string, Command: typeof Status) {
  return class extends Command {
    static override id = id;
    protected override host = host;
  };
}

let loading: Promise<Config> | undefined;

async function config(): Promise<Config> {
  loading ??= Config.load({ root });
  return await loading;
}

function recordingStream(): OutputStream & { text: string } {
  return {
    text: '',
    write(text) {
      this.text += text;
      return true;
    },
    on() {},
  };
}
