import { toError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { applyRetention, type RetentionOptions } from './apply-retention.ts';
import { isRetentionConfigured } from './plan-retention.ts';

/** What retention did after a backup; part of the evidence of kind `backup`. */
export interface RetentionOutcome {
  removed: string[];
  /** Sets that should have gone and are still there. */
  failed: string[];
  /** Why nothing was looked at; null where it was. */
  error: string | null;
}

/**
 * Removes what `[backup] keep` does not keep, after a backup that was made: a backup that failed removes nothing, so a
 * month of failures keeps everything. Whatever goes wrong here, the backup is made, and the next one tries again.
 *
 * @returns null where no retention is configured.
 */
export async function retainAfterBackup(
  options: Omit<RetentionOptions, 'olderThanMs'> & { log: Log; signal: AbortSignal },
): Promise<RetentionOutcome | null> {
  const { config, log } = options;
  if (!isRetentionConfigured(config.backup.keep)) return null;
  try {
    const { removed, failed } = await applyRetention(options);
    return { removed: removed.map(({ id }) => id), failed: failed.map(({ id }) => id), error: null };
  } catch (error) {
    const { message } = toError(error);
    log.warn(`The backup is made, but no old set was removed: ${message}`);
    return { removed: [], failed: [], error: message };
  }
}

/** Whether everything that should have gone is gone. */
export function isRetentionDone(outcome: RetentionOutcome | null): boolean {
  return outcome === null || (outcome.error === null && outcome.failed.length === 0);
}
