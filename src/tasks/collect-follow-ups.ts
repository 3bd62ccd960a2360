import { TendError } from '../errors.ts';
import type { FollowUp, FollowUpOptions } from '../index.ts';
import { type CheckedFollowUp, checkFollowUp } from './check-follow-up.ts';

/** A task that an attempt wants enqueued when it ends. */
export interface RememberedFollowUp {
  task: CheckedFollowUp;
  /** True where it is enqueued also by an attempt that failed. */
  evenIfFailed: boolean;
}

export interface FollowUps {
  enqueue(task: FollowUp, options?: FollowUpOptions): void;
  /** What was remembered; from now on nothing more is. */
  close(): readonly RememberedFollowUp[];
}

/** They are written in one statement, with whatever else ends at that moment: it must not outlast a lease. */
const mostTasks = 1000;
const mostBytes = 16 * 1024 * 1024;

/**
 * Remembers what one attempt wants enqueued. Nothing is written before the attempt ends.
 *
 * @param onEnqueue is told of each, checked.
 */
export function collectFollowUps(onEnqueue?: (followUp: RememberedFollowUp) => void): FollowUps {
  const followUps: RememberedFollowUp[] = [];
  let bytes = 0;
  let isClosed = false;
  return {
    enqueue(given, options) {
      if (isClosed) {
        throw new TendError('TASK_STATE_CONFLICT', 'A follow-up task came too late: the attempt has ended.');
      }
      const task = checkFollowUp(given);
      bytes += Buffer.byteLength(JSON.stringify(task.payload));
      if (followUps.length >= mostTasks) throw tooMany(`${mostTasks} tasks`);
      if (bytes > mostBytes) throw tooMany('16 MiB of payloads');
      const followUp = { task, evenIfFailed: options?.evenIfFailed === true };
      followUps.push(followUp);
      onEnqueue?.(followUp);
    },
    close() {
      isClosed = true;
      return followUps;
    },
  };
}

function tooMany(limit: string): TendError {
  return new TendError('PAYLOAD_INVALID', `An attempt can enqueue at most ${limit}.`, {
    hint: 'Enqueue one follow-up task that goes on from there.',
    isPermanent: true,
  });
}
