import { readFileSync, readlinkSync } from 'node:fs';

/** What tells one process from every other: a pid alone is used again, and is another's in the next container. */
export interface ProcessIdentity {
  pid: number;
  /** Boot id and pid namespace of this kernel; empty where the system does not tell. */
  kernel: string;
  /** Start of the process in clock ticks since boot: a reused pid has another. */
  startTicks: string;
}

/** The identity of this process. */
export function processIdentity(): ProcessIdentity {
  const { pid } = process;
  return { pid, kernel: kernelIdentity(), startTicks: processStart(pid) ?? '' };
}

/**
 * Whether a process is certainly gone. False whenever that cannot be known: one of another boot or namespace may be
 * alive there.
 */
export function isProcessGone({ pid, kernel, startTicks }: ProcessIdentity): boolean {
  if (kernel === '' || kernel !== kernelIdentity()) return false;
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  const start = processStart(pid);
  // Where /proc hides the processes of other users (hidepid), a live one looks like none.
  return start === undefined ? !isSignallable(pid) : start !== startTicks;
}

/** Whether a process is certainly there; false also where that cannot be known, as of one on another host. */
export function isProcessAlive({ pid, kernel, startTicks }: ProcessIdentity): boolean {
  return kernel === kernelIdentity() && isSignallable(pid) && (processStart(pid) ?? '') === startTicks;
}

/** Whether there is a process `pid`; also true of one that belongs to somebody else. */
function isSignallable(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

function kernelIdentity(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().slice(0, 8);
    const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '';
    return namespace === '' ? '' : `${boot}-${namespace}`;
  } catch {
    return '';
  }
}

/** Field 22 of /proc/PID/stat (proc(5)), `zombie` for one that has ended; undefined when there is none to be seen. */
function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, the name, may hold spaces and parentheses: count from the last parenthesis.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? 'zombie' : fields[19];
  } catch {
    return undefined;
  }
}
