import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { UnprivilegedUser } from './unprivileged-user.ts';

/** Where a cluster lives and whom it runs as. */
export interface ClusterPlace {
  binaries: string;
  directory: string;
  dataDirectory: string;
  superuser: string;
  password: string;
  user: UnprivilegedUser | undefined;
}

/** How a server is asked to go: `fast` ends sessions, `immediate` skips the checkpoint as a crash would. */
export type ShutdownMode = 'fast' | 'immediate';

/** Starts the server of an initialised cluster and waits until it takes connections. */
export async function startServer(place: ClusterPlace): Promise<ChildProcess> {
  const logPath = join(place.directory, 'log');
  const log = openSync(logPath, 'a');
  const [file, args] = asUser(place.user, join(place.binaries, 'postgres'), ['-D', place.dataDirectory]);
  const server = spawn(file, args, {
    cwd: '/',
    env: serverEnvironment(),
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const deadline = performance.now() + 60_000;
  while (!(await isReady(place.dataDirectory, server.pid))) {
    if (server.exitCode !== null || server.signalCode !== null || performance.now() > deadline) {
      await stopServer(server, 'immediate');
      throw new Error(`The test cluster did not start:\n${await readFile(logPath, 'utf8').catch(() => '')}`);
    }
    await sleep(20);
  }
  return server;
}

/** The postmaster writes `ready` as the eighth line of its pid file, below its pid in the first. */
async function isReady(dataDirectory: string, pid: number | undefined): Promise<boolean> {
  const content = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = content.split('\n');
  return lines[0]?.trim() === String(pid) && lines[7]?.trim() === 'ready';
}

/** Stops a server; one that does not go in 15 seconds is asked less kindly. */
export async function stopServer(server: ChildProcess, mode: ShutdownMode): Promise<void> {
  const signals: NodeJS.Signals[] =
    mode === 'fast' ? ['SIGINT', 'SIGQUIT', 'SIGKILL'] : ['SIGQUIT', 'SIGKILL'];
  const gone = new Promise<void>((resolve) => {
    if (server.exitCode !== null || server.signalCode !== null) resolve();
    else server.once('exit', () => resolve());
  });
  for (const signal of signals) {
    server.kill(signal);
    const ended = await Promise.race([gone.then(() => true), sleep(15_000, false, { ref: false })]);
    if (ended) return;
  }
}

/**
 * The command line that runs `program` as `user`. On Linux the program is also told to go when its starter dies, so
 * that a killed test run leaves no server behind.
 */
export function asUser(
  user: UnprivilegedUser | undefined,
  program: string,
  args: string[],
): [string, string[]] {
  if (process.platform !== 'linux') return [program, args];
  const ids = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  return ['setpriv', [...ids, '--pdeathsig=INT', program, ...args]];
}

/** Not the test run's marker: the cluster outlives the check for processes that were left behind. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}
