import { isPaused, type ModelTask, type QueueModel, running, tasksIn } from './queue-model.ts';

export interface ClaimRequest {
  host: string;
  kinds: readonly string[];
  count: number;
  /** Those beyond it wait in the worker: no mutex, no limit, nothing that needs a person. */
  startable: number;
  hostLimit: number | undefined;
}

/** Which tasks a claim takes that nobody disturbs, in which order. */
export function expectedClaim(model: QueueModel, request: ClaimRequest): ModelTask[] {
  const leftOver = new Map([...model.kinds.keys()].map((kind) => [kind, leftOfKind(model, kind)]));
  const candidates = tasksIn(model, 'waiting')
    .filter((task) => isClaimable(model, task, request) && (leftOver.get(task.kind) ?? 1) > 0)
    .toSorted(
      (left, right) => left.priority - right.priority || left.runAt - right.runAt || left.id - right.id,
    )
    .slice(0, Math.min(request.count, leftOnHost(model, request)));
  const mutexes = new Set<string | null>([null]);
  return candidates.filter((task, rank) => {
    const left = leftOver.get(task.kind) ?? Number.POSITIVE_INFINITY;
    const isFirst = task.mutex === null || !mutexes.has(task.mutex);
    mutexes.add(task.mutex);
    const mayWait = task.mutex === null && task.onLost === 'retry' && left === Number.POSITIVE_INFINITY;
    if (!isFirst || (!mayWait && rank >= request.startable) || left === 0) return false;
    leftOver.set(task.kind, left - 1);
    return true;
  });
}

export function isMutexHeld(model: QueueModel, { mutex }: Pick<ModelTask, 'mutex'>): boolean {
  return mutex !== null && running(model).some((task) => task.mutex === mutex);
}

function isClaimable(model: QueueModel, task: ModelTask, request: ClaimRequest): boolean {
  return (
    task.runAt !== Number.POSITIVE_INFINITY &&
    request.kinds.includes(task.kind) &&
    (task.host === null || task.host === request.host) &&
    !isPaused(model, task) &&
    !isMutexHeld(model, task)
  );
}

/** What runs counts, whether it takes a place or not. */
function leftOfKind(model: QueueModel, kind: string): number {
  const limit = model.kinds.get(kind)?.maxRunning ?? Number.POSITIVE_INFINITY;
  return Math.max(limit - running(model).filter((task) => task.kind === kind).length, 0);
}

function leftOnHost(model: QueueModel, { host, hostLimit = Number.POSITIVE_INFINITY }: ClaimRequest): number {
  const those = running(model).filter(({ lease }) => lease.owner.startsWith(`${host}:`));
  return Math.max(hostLimit - those.length, 0);
}
