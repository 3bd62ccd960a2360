import type { ChildProcess } from 'node:child_process';
import type { Duplex, Readable, Writable } from 'node:stream';
import { toError } from '../errors.ts';
import { isGroupAlive } from './is-group-alive.ts';

/**
 * Runs as leader of the new process group, puts a watchdog into the group and becomes the program itself. The
 * watchdog blocks on descriptor 3, whose other end only tend holds: a line means the program ended normally, end of
 * file means tend died, and then the watchdog kills the group, itself included. It is started by a subshell that
 * exits at once, so that the program does not inherit it as a child it never made; it ignores the signals that stop
 * the group, so that it outlives a grace period. The program begins when the watchdog stands: the substitution waits until
 * the watchdog closes its output, which it does after it has set its traps. Descriptor 4, where there is one, is the program's alone: its end of
 * file is the program's end.
 */
const supervisor = `
: "$( ( trap '' TERM INT HUP QUIT; exec </dev/null >/dev/null 2>&1 4>&-; read -r line <&3 || kill -KILL 0 ) & )"
exec "$@" 3<&-`;

export interface ChildEnding {
  exitCode?: number | undefined;
  signal?: string | undefined;
  /** Why the program was not even started; then there is neither exit code nor signal. */
  startError?: Error | undefined;
}

export interface SupervisedChild {
  /** Settles when the program ended and its pipes are closed; never rejects. */
  ending: Promise<ChildEnding>;
  nodeChildProcess: ChildProcess;
  stdin: Writable;
  /** Undefined where it goes to another program. */
  stdout: Readable | undefined;
  stderr: Readable;
  /** What the program writes to descriptor 4, where it was given one. */
  reports: Readable | undefined;
  /** Tells the watchdog that the program ended: what it left in the background lives on. */
  dismissWatchdog(): void;
  /** Whether any process of the group is left: a wrapper may end before the program it started. */
  isGroupAlive(): boolean;
  /** SIGKILL to whatever is left of the group. */
  killGroup(): void;
}

/**
 * Starts `program` in its own process group under a watchdog that kills the group when tend dies.
 * Aborting `signal` sends SIGTERM to the group, and SIGKILL after `graceMs`.
 */
export async function spawnSupervised(options: {
  program: string;
  args: readonly string[];
  env: Record<string, string>;
  cwd: string;
  hasReports: boolean;
  /** Becomes the program's standard output, and is closed here. */
  output: Writable | undefined;
  signal: AbortSignal;
  graceMs: number;
}): Promise<SupervisedChild> {
  const { execa } = await import('execa');
  const subprocess = execa('/bin/sh', ['-c', supervisor, 'tend-child', options.program, ...options.args], {
    env: options.env,
    cwd: options.cwd,
    extendEnv: false,
    stdio: [
      'pipe',
      options.output ?? 'pipe',
      'pipe',
      'pipe',
      ...(options.hasReports ? (['pipe'] as const) : []),
    ],
    buffer: false,
    encoding: 'buffer',
    reject: false,
    cancelSignal: options.signal,
    killDescendants: true,
    forceKillAfterDelay: options.graceMs,
  });
  options.output?.destroy();
  const { stdin, stdout, stderr } = subprocess;
  // execa types further descriptors as the union of both directions; as a plain 'pipe' each is a duplex socket.
  const [, , , watchdog, reports] = subprocess.stdio as unknown as [
    unknown,
    unknown,
    unknown,
    Duplex,
    Duplex?,
  ];
  watchdog.on('error', () => {});
  return {
    ending: subprocess.then(({ exitCode, signal, cause }) => ({
      exitCode,
      signal,
      startError: subprocess.pid === undefined ? toError(cause) : undefined,
    })),
    nodeChildProcess: subprocess.nodeChildProcess,
    stdin,
    stdout: stdout ?? undefined,
    stderr,
    reports,
    dismissWatchdog: () => watchdog.end('ended\n'),
    isGroupAlive: () => subprocess.pid !== undefined && isGroupAlive(subprocess.pid),
    killGroup() {
      try {
        if (subprocess.pid !== undefined) process.kill(-subprocess.pid, 'SIGKILL');
      } catch {
        // The group is gone already.
      }
    },
  };
}
