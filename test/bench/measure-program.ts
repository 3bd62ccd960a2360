import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** A command line in its own surroundings; nothing of this process's environment reaches it. */
export interface Program {
  file: string;
  args: readonly string[];
  cwd: string;
  env: Record<string, string>;
}

/** What one run of a program cost, measured from outside by wait4(2). */
export interface ProgramCost {
  wallMs: number;
  /** User and system time of the program and of the children it waited for. */
  cpuMs: number;
  peakMiB: number;
}

const wrapper = fileURLToPath(new URL('run-and-measure.pl', import.meta.url));

/** Runs `program` to its end with its output thrown away; throws unless it exits with 0. */
export async function measureProgram(program: Program): Promise<ProgramCost> {
  const { file, args, cwd, env } = program;
  const child = spawn('/usr/bin/perl', [wrapper, file, ...args], {
    cwd,
    env,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    timeout: 600_000,
  });
  const closed = once(child, 'close');
  const [report, errors] = await Promise.all([readAll(child.stdio[3]), readAll(child.stderr), closed]);
  const [status, wallUs, cpuUs, peakKiB] = report.split(' ').map(Number);
  if (status !== 0 || wallUs === undefined || cpuUs === undefined || peakKiB === undefined) {
    throw new Error(
      `${[file, ...args].join(' ')} did not succeed (wait status ${status}):\n${errors.slice(-2000)}`,
    );
  }
  return { wallMs: wallUs / 1000, cpuMs: cpuUs / 1000, peakMiB: peakKiB / 1024 };
}

/** Why nothing can be measured here; undefined where it can. */
export function measuringObstacle(): string | undefined {
  if (process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)) return undefined;
  return `The benchmarks measure with wait4(2) on Linux (x64, arm64); this is ${process.platform} ${process.arch}.`;
}

async function readAll(stream: unknown): Promise<string> {
  // stdio[2] and stdio[3] were asked for as pipes, so they are readable streams
  return await text(stream as NodeJS.ReadableStream);
}
