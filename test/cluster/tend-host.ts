import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Machine } from './network.ts';
import { logDirectory } from './start-on.ts';

const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

export interface Tick {
  host: string;
  startedAt: Date;
  endedAt: Date;
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A machine on which cron, were it that quick, calls tend once a second. */
export interface TendHost {
  machine: Machine;
  /** Those that have ended. */
  readonly ticks: readonly Tick[];
  /** Starts no more, and waits for those that are under way. */
  stop(): Promise<void>;
}

const mostAtOnce = 6;

/** Runs the built program on a machine, with cron's environment. */
export async function tendOn(machine: Machine, path: string, args: readonly string[]): Promise<Tick> {
  const startedAt = new Date();
  const child = spawn('ip', ['netns', 'exec', machine.name, process.execPath, program, ...args], {
    cwd: path,
    env: { PATH: '/usr/bin:/bin', HOME: path, LOGNAME: 'nobody', SHELL: '/bin/sh' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise<void>((done) => child.once('close', () => done()));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  const { exitCode, signalCode: signal } = child;
  return { host: machine.name, startedAt, endedAt: new Date(), exitCode, signal, stdout, stderr };
}

/** Calls tend once a second, unless `mostAtOnce` ticks are under way: one machine has to bear all of this. */
export function startTicking(machine: Machine, path: string): TendHost {
  const ticks: Tick[] = [];
  const running = new Set<Promise<void>>();
  const log = createWriteStream(join(logDirectory, machine.name));
  const tick = async (): Promise<void> => {
    const ended = await tendOn(machine, path, ['run-due-tasks', '--json']);
    ticks.push(ended);
    const lasted = ended.endedAt.getTime() - ended.startedAt.getTime();
    log.write(
      `${new Date().toISOString()} exit ${ended.exitCode ?? ended.signal} after ${lasted} ms\n${ended.stderr}`,
    );
  };
  const timer = setInterval(() => {
    if (running.size >= mostAtOnce) return;
    const under = tick().finally(() => running.delete(under));
    running.add(under);
  }, 1000);
  return {
    machine,
    ticks,
    async stop() {
      clearInterval(timer);
      await Promise.all(running);
      log.end();
    },
  };
}
