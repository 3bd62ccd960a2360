import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { asUser } from '../support/server-process.ts';
import { unprivilegedUser } from '../support/unprivileged-user.ts';
import type { Machine } from './network.ts';

/** Where everything of the test is kept: in memory, gone with the namespaces. */
export const directory = '/run/cluster';
export const logDirectory = join(directory, 'log');

/** Starts a server program on a machine as an unprivileged user; what it says is added to a log of its name. */
export function startOn(
  machine: Machine,
  options: { program: string; args: string[]; name: string },
): ChildProcess {
  const log = openSync(join(logDirectory, `${machine.name}-${options.name}`), 'a');
  const command = asUser(unprivilegedUser(), options.program, options.args).flat();
  // Before everything else on this machine: etcd and Patroni take a node that is slow for one that is lost.
  const child = spawn('nice', ['-n', '-10', 'ip', 'netns', 'exec', machine.name, ...command], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC', HOME: '/nonexistent' },
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  return child;
}
