import { TendError, toError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { RemoteCopy } from '../remotes/copy-to-remotes.ts';
import { applyRetention } from './apply-retention.ts';
import { isRetentionConfigured, keepRulesFor, ownKeepRules } from './keep-rules.ts';
import type { RetentionOptions } from './plan-for-place.ts';

/** What retention did after a backup; part of the evidence of kind `backup`. */
export interface RetentionOutcome {
  removed: string[];
  /** Sets that should have gone and are still there. */
  failed: string[];
  /** Why nothing was looked at; null where it was. */
  error: string | null;
}

/** A copy in a remote, and what retention did there: null where none is configured, or the copy failed. */
export type RetainedCopy = RemoteCopy & { retention: RetentionOutcome | null };

type Options = Omit<RetentionOptions, 'olderThanMs'> & { log: Log };

/**
 * Removes what `keep` does not keep, after a backup that was made: a backup that failed removes nothing, so a month of
 * failures keeps everything. Whatever goes wrong here, the backup is made, and the next one tries again.
 *
 * @returns null where no retention is configured.
 */
export async function retainAfterBackup(options: Options): Promise<RetentionOutcome | null> {
  const { config, remote, log, signal } = options;
  if (!isRetentionConfigured(keepRulesFor(config, remote))) return null;
  const where = remote === undefined ? '' : ` in remote "${remote}"`;
  try {
    const { removed, failed } = await applyRetention(options);
    const isExempt = failed.length > 0 && failed.every(({ code }) => isLeftToOthers(options, code));
    if (isExempt) sayWhoRemoves(options);
    const ids = isExempt ? [] : failed.map(({ id }) => id);
    return { removed: removed.map(({ id }) => id), failed: ids, error: null };
  } catch (error) {
    signal.throwIfAborted();
    if (isLeftToOthers(options, error instanceof TendError ? error.code : null)) {
      sayWhoRemoves(options);
      return { removed: [], failed: [], error: null };
    }
    const { message } = toError(error);
    log.warn(`The backup is made, but no old set${where} was removed: ${message}`);
    return { removed: [], failed: [], error: message };
  }
}

/** The same in each remote that has got the new set: one that has not keeps what it has. */
export async function retainInRemotes(
  options: Omit<Options, 'remote'> & { copies: readonly RemoteCopy[] },
): Promise<RetainedCopy[]> {
  const retained: RetainedCopy[] = [];
  for (const copy of options.copies) {
    const isStored = copy.outcome === 'stored';
    const retention = isStored ? await retainAfterBackup({ ...options, remote: copy.name }) : null;
    retained.push({ ...copy, retention });
  }
  return retained;
}

/** Whether everything that should have gone is gone. */
export function isRetentionDone(outcome: RetentionOutcome | null): boolean {
  return outcome === null || (outcome.error === null && outcome.failed.length === 0);
}

/**
 * Credentials that may not remove anything are how copies are protected from this machine. Only a remote with a `keep` of
 * its own is expected to let tend remove.
 */
function isLeftToOthers({ config, remote }: Options, code: string | null): boolean {
  return code === 'REMOTE_PERMISSION' && remote !== undefined && ownKeepRules(config, remote) === undefined;
}

function sayWhoRemoves({ remote, log }: Options): void {
  log.info(`Old sets in remote "${remote}" stay: they may not be removed from here.`);
}
