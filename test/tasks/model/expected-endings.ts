import type { AttemptEnding } from '../../../src/tasks/finish-attempts.ts';
import type { TaskState } from '../../../src/tasks/states.ts';
import { hasWaitingTwin, heldBy, type ModelTask, type QueueModel, running } from './queue-model.ts';

const future = Number.POSITIVE_INFINITY;

/** Where a task goes that its worker finishes with `token`; null when the lease is lost and nothing changes. */
export function finish(model: QueueModel, token: string, ending: AttemptEnding): TaskState | null {
  const task = heldBy(model, token);
  if (task === undefined) {
    const isOnRecord = model.attempts.some(
      (attempt) => attempt.token === token && attempt.outcome === ending.outcome,
    );
    return isOnRecord ? ending.state : null;
  }
  const isSuperseded = ending.state === 'waiting' && hasWaitingTwin(model, task);
  const isCancelled = ending.state === 'waiting' && task.lease.isCancelRequested;
  if (ending.isRecorded) model.attempts.push({ task: task.id, token, outcome: ending.outcome });
  if (!ending.isCounted) task.attempt -= 1;
  if (ending.state === 'waiting' && (ending.isRecorded || ending.delayMs > 0)) task.runAt = future;
  end(task, isSuperseded || isCancelled ? 'cancelled' : ending.state);
  return task.state;
}

/** What a reaper does with leases that have expired and workers that are dead, in the order in which they end. */
export function reap(model: QueueModel, deadOwners: readonly string[]): { id: number; state: TaskState }[] {
  const lost = running(model).filter(({ lease }) => lease.isExpired || deadOwners.includes(lease.owner));
  return lost
    .toSorted((left, right) => left.lease.until - right.lease.until)
    .map((task) => {
      model.attempts.push({ task: task.id, token: task.lease.token, outcome: 'lost' });
      const state = stateOfLost(model, task, task.lease.isCancelRequested);
      if (state === 'waiting') task.runAt = future;
      end(task, state);
      return { id: task.id, state };
    });
}

function stateOfLost(model: QueueModel, task: ModelTask, isCancelRequested: boolean): TaskState {
  if (isCancelRequested) return 'cancelled';
  if (task.onLost === 'hold') return 'held';
  if (task.attempt >= task.maxAttempts) return 'failed';
  return hasWaitingTwin(model, task) ? 'cancelled' : 'waiting';
}

/** Gives back what a claim took whose answer never came: as if it had not been. */
export function returnStray(model: QueueModel, task: ModelTask, to: 'waiting' | 'cancelled'): void {
  const state = hasWaitingTwin(model, task) ? 'cancelled' : to;
  task.attempt -= 1;
  end(task, state);
}

export function end(task: ModelTask, state: TaskState): void {
  task.state = state;
  task.lease = null;
}
