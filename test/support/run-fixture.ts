import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { testRun } from './test-run.ts';

/** The program of the bodies: `node <fixture> BODY [FLAG…]`. */
export const fixture = fileURLToPath(new URL('../fixtures/cli/run-body-fixture.ts', import.meta.url));

export interface FixtureResult {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A body of test/fixtures/cli running under the real runner in its own process. */
export interface StartedFixture {
  child: ChildProcess;
  /** Resolves once stderr contains `mark`. */
  said(mark: string): Promise<void>;
  result: Promise<FixtureResult>;
}

export function startFixture(args: readonly string[], env: Record<string, string> = {}): StartedFixture {
  const child = spawn(process.execPath, [fixture, ...args], {
    env: {
      PATH: '/usr/bin:/bin',
      HOME: '/nonexistent',
      NODE_COMPILE_CACHE: testRun().cacheDirectory,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  let heard = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    heard += chunk;
    child.emit('heard');
  });
  const closed = once(child, 'close');
  const said = async (mark: string): Promise<void> => {
    while (!heard.includes(mark))
      await Promise.race([once(child, 'heard'), closed.then(() => tooLate(mark, heard))]);
  };
  const finish = async (): Promise<FixtureResult> => {
    const [stdout] = await Promise.all([text(child.stdout), closed]);
    return { exitCode: child.exitCode, signal: child.signalCode, stdout, stderr: heard };
  };
  return { child, said, result: finish() };
}

export async function runFixture(
  args: readonly string[],
  env?: Record<string, string>,
): Promise<FixtureResult> {
  return await startFixture(args, env).result;
}

function tooLate(mark: string, heard: string): never {
  throw new Error(`The process ended without saying "${mark}": ${heard}`);
}
