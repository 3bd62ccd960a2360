import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Program } from './measure-program.ts';

/** A program that runs beside the bench. Disposing ends it with SIGTERM and waits for it. */
export interface StartedProgram extends AsyncDisposable {
  pid: number;
  /** When it was started, by the clock of the machine, which is also the server's. */
  startedAtMs: number;
  readonly hasEnded: boolean;
  ended: Promise<unknown>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts `program` with its output thrown away. */
export function startProgram({ file, args, cwd, env }: Program): StartedProgram {
  const startedAtMs = performance.timeOrigin + performance.now();
  const child: ChildProcess = spawn(file, args, { cwd, env, stdio: 'ignore' });
  if (child.pid === undefined) throw new Error(`${file} could not be started.`);
  const ended = once(child, 'exit');
  return {
    pid: child.pid,
    startedAtMs,
    get hasEnded() {
      return child.exitCode !== null || child.signalCode !== null;
    },
    ended,
    kill: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
