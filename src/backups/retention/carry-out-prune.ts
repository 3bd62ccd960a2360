import { toError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import type { BackupStore } from '../sets/backup-store.ts';
import type { LeftAlone, PrunePlan } from './plan-prune.ts';

/** What became of a plan; keys of the JSON contract of `backup prune`, and the evidence of kind `prune`. */
export interface PruneReport {
  place: string;
  /** How many good sets stay. */
  kept: number;
  removed: { id: string; bytes: number; reasons: string[] }[];
  /** Sets that should have gone and are still there. */
  failed: { id: string; why: string }[];
  left: LeftAlone[];
  freedBytes: number;
}

/** Removes the sets of a plan, oldest first; what cannot be removed does not keep the others. */
export async function carryOutPrune(options: {
  plan: PrunePlan;
  store: BackupStore;
  /** Called after each set that is gone. */
  onRemoved(set: BackupSet, reason: string): Promise<void>;
  log: Log;
  signal: AbortSignal;
}): Promise<PruneReport> {
  const { plan, store, onRemoved, log, signal } = options;
  const removed: PruneReport['removed'] = [];
  const failed: PruneReport['failed'] = [];
  for (const { set, decision } of plan.toRemove.toReversed()) {
    signal.throwIfAborted();
    const { id, bytes, reasons } = decision;
    try {
      await store.removeSet(set);
    } catch (error) {
      failed.push({ id, why: toError(error).message });
      log.warn(`Backup set "${id}" could not be removed: ${toError(error).message}`);
      continue;
    }
    log.info(`Backup set "${id}" was removed: ${reasons.join(', ')}.`);
    removed.push({ id, bytes, reasons });
    await onRemoved(set, reasons.join(', '));
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
