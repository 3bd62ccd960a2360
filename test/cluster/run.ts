// npm run test:cluster              three PostgreSQL nodes under Patroni, three hosts ticking, five fail-overs
// … -- --logs DIRECTORY             copies what etcd, Patroni, PostgreSQL and the ticks have written there
//
// Everything runs in namespaces of its own (network, processes, mounts): nothing of it can be reached from outside, its
// files are in memory, and all of it is gone when this process is, however it ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { requirePrograms } from './require-programs.ts';

const longestMs = 6 * 60_000;
const conductor = fileURLToPath(new URL('conduct.ts', import.meta.url));
const { values } = parseArgs({ options: { logs: { type: 'string' } } });

const obstacle = await requirePrograms();
if (obstacle !== undefined) end(obstacle);

// A shell as the first process: it collects orphans, which Node would leave as zombies.
const inside = ['sh', '-c', '"$@"; exit $?', 'sh', process.execPath, conductor, ...logsArgument()];
const child = spawn(
  'setpriv', // should this process be killed with -9, all of that goes, too
  [
    '--pdeathsig=KILL',
    'unshare',
    '--net',
    '--mount',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    ...inside,
  ],
  { stdio: ['ignore', 'inherit', 'inherit'], detached: true },
);
process.once('exit', () => killAll(child));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => end(`stopped by ${signal}`));
}
const timer = setTimeout(() => end(`not done after ${longestMs / 60_000} minutes`), longestMs);
const [exitCode] = await once(child, 'exit');
clearTimeout(timer);
// The conductor has written its last line itself, unless it did not get there.
if (exitCode === 0 || exitCode === 1) process.exit(exitCode);
end('it broke off');

function end(message: string): never {
  process.stdout.write(`test:cluster: ${message}\n0 passed, 1 failed\n`);
  process.exit(1);
}

/** With `unshare` its first process goes, and with that the whole namespace: SIGKILL, by the kernel. */
function killAll({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(pid, 'SIGKILL');
}

function logsArgument(): string[] {
  return values.logs === undefined ? [] : [resolve(values.logs)];
}
