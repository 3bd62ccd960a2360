import { readFileSync, readlinkSync } from 'node:fs';
import { errorCodeOf } from '../database/translate-database-error.ts';

/**
 * Who holds a lease. The host name alone is never an identity (names are reused, containers share them): the boot,
 * the pid namespace, the process and its start time tell whether that very process still lives.
 */
export interface WorkerIdentity {
  host: string;
  pid: number;
  /** Boot id and pid namespace of this kernel; empty where the system does not tell. */
  kernel: string;
  /** Start of the process in clock ticks since boot: a reused pid has another. */
  startTicks: string;
  /** Written into `lease_owner`: `host:pid:kernel:start:random`. */
  owner: string;
}

/** The identity of this process as a worker on `host`; unlike any other, also within one process. */
export function workerIdentity(host: string): WorkerIdentity {
  const pid = process.pid;
  const kernel = kernelIdentity();
  const startTicks = processStart(pid) ?? '';
  const random = Math.floor(Math.random() * 2 ** 32).toString(16);
  return { host, pid, kernel, startTicks, owner: [host, pid, kernel, startTicks, random].join(':') };
}

/**
 * Whether `owner` is a process of this very kernel that is certainly gone. False whenever that cannot be known: other
 * hosts, other boots or namespaces (a clone with the same host name may be alive) are left to their lease.
 */
export function isDeadHere(owner: string, here: WorkerIdentity): boolean {
  const [host, pidText, kernel, startTicks] = owner.split(':');
  if (host !== here.host || kernel !== here.kernel || here.kernel === '') return false;
  const pid = Number(pidText);
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  const start = processStart(pid);
  // Where /proc hides the processes of other users (hidepid), a live one looks like none.
  return start === undefined ? !isSignallable(pid) : start !== startTicks;
}

/** Whether there is a process `pid`; also true of one that belongs to somebody else. */
function isSignallable(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCodeOf(error) !== 'ESRCH';
  }
}

/** `web1:311` of an owner: what a person needs to find the worker. */
export function describeOwner(owner: string): string {
  return owner.split(':').slice(0, 2).join(':');
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
