import { type ErrorCode, TendError, toError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { isRemoteError } from '../remotes/remote-errors.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import type { BackupStore } from '../sets/backup-store.ts';
import type { LeftAlone, PrunePlan } from './plan-prune.ts';

/** What became of a plan; keys of the JSON contract of `backup prune`, and the evidence of kind `prune`. */
export interface PruneReport {
  place: string;
  /** How many good sets stay. */
  kept: number;
  removed: { id: string; bytes: number; reasons: string[] }[];
  /** Sets that should have gone and are still there; the code where it is an error of tend's. */
  failed: { id: string; why: string; code: ErrorCode | null }[];
  left: LeftAlone[];
  freedBytes: number;
}

/**
 * Removes the sets of a plan, oldest first; what cannot be removed does not keep the others, unless it is the remote that
 * cannot be reached or lets nobody remove anything.
 */
export async function carryOutPrune(options: {
  plan: PrunePlan;
  store: BackupStore;
  /** Called after each set that is gone. */
  onRemoved?(set: BackupSet, reason: string): Promise<void>;
  log: Log;
  signal: AbortSignal;
}): Promise<PruneReport> {
  const { plan, store, onRemoved, log, signal } = options;
  const removed: PruneReport['removed'] = [];
  const failed: PruneReport['failed'] = [];
  let obstacle: ErrorCode | undefined;
  for (const { set, decision } of plan.toRemove.toReversed()) {
    signal.throwIfAborted();
    const { id, bytes, reasons } = decision;
    if (obstacle !== undefined) {
      failed.push({ id, why: 'not tried after that', code: obstacle });
      continue;
    }
    try {
      await store.removeSet(set);
    } catch (error) {
      signal.throwIfAborted();
      const why = toError(error).message;
      failed.push({ id, why, code: error instanceof TendError ? error.code : null });
      if (isOfThePlace(error)) obstacle = error.code;
      log.warn(`Backup set "${id}" could not be removed: ${why}`);
      continue;
    }
    log.info(`Backup set "${id}" was removed: ${reasons.join(', ')}.`);
    removed.push({ id, bytes, reasons });
    await onRemoved?.(set, reasons.join(', '));
  }
  for (const { name, why } of plan.left) log.warn(`"${name}" is left alone: ${why}.`);
  return {
    place: plan.place,
    kept: plan.decisions.length - plan.toRemove.length,
    removed,
    failed,
    left: plan.left,
    freedBytes: removed.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Says nothing about this set, and would be the same for the next. */
function isOfThePlace(error: unknown): error is TendError {
  return isRemoteError(error) && error.code !== 'REMOTE_FAILED';
}
