import { fstatSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { accountName } from '../account-name.ts';
import { type Clock, systemClock } from '../clock.ts';

/** A stream as the command line writes to it: `process.stdout`, or a test's own. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): boolean;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
  removeAllListeners?(event: 'error'): unknown;
}

/**
 * Everything a command takes from the process it runs in. Only this file reads `process`, so that a test can run a
 * command in its own process with its own streams, environment and signals.
 */
export interface ProcessHost {
  stdout: OutputStream;
  stderr: OutputStream;
  env: NodeJS.ProcessEnv;
  cwd: string;
  pid: number;
  /** Device and inode of what stderr is, `8:1234`; undefined where that cannot be known. */
  stderrIdentity(): string | undefined;
  hostname: string;
  /** Name of the operating system's user, which libpq takes where none is given; undefined where it has none. */
  osUser: string | undefined;
  home: string;
  clock: Clock;
  /** Signals, warnings and crashes: `process` itself, or a test's emitter. */
  events: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
  /** Ends the process at once: for a second signal and for the watchdog, never for an ordinary end. */
  exit(code: number): void;
}

/** The process this program runs in. */
export function systemHost(): ProcessHost {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    pid: process.pid,
    stderrIdentity,
    hostname: hostname(),
    get osUser() {
      return accountName();
    },
    get home() {
      return homedir();
    },
    clock: systemClock,
    events: process,
    exit: (code) => process.exit(code),
  };
}

function stderrIdentity(): string | undefined {
  try {
    const { dev, ino } = fstatSync(2, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
