import { isProcessGone, type ProcessIdentity, processIdentity } from '../processes/process-identity.ts';

/**
 * Who holds a lease. The host name alone is never an identity (names are reused, containers share them): the boot,
 * the pid namespace, the process and its start time tell whether that very process still lives.
 */
export interface WorkerIdentity extends ProcessIdentity {
  host: string;
  /** Written into `lease_owner`: `host:pid:kernel:start:random`. */
  owner: string;
}

/** The identity of this process as a worker on `host`; unlike any other, also within one process. */
export function workerIdentity(host: string): WorkerIdentity {
  const identity = processIdentity();
  const { pid, kernel, startTicks } = identity;
  // node:crypto would cost each idle tick what it loads.
  const random = Math.floor(Math.random() * 2 ** 32).toString(16);
  return { ...identity, host, owner: [host, pid, kernel, startTicks, random].join(':') };
}

/**
 * Whether `owner` is a process of this very kernel that is certainly gone. False whenever that cannot be known: other
 * hosts, other boots or namespaces (a clone with the same host name may be alive) are left to their lease.
 */
export function isDeadHere(owner: string, here: WorkerIdentity): boolean {
  const [host, pid, kernel = '', startTicks = ''] = owner.split(':');
  if (host !== here.host || kernel !== here.kernel) return false;
  return isProcessGone({ pid: Number(pid), kernel, startTicks });
}

/** `web1:311` of an owner: what a person needs to find the worker. */
export function describeOwner(owner: string): string {
  return owner.split(':').slice(0, 2).join(':');
}
