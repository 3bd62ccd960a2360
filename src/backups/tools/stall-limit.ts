import { formatDuration } from '../../duration.ts';
import { TendError } from '../../errors.ts';

export interface StallLimitOptions {
  /** What works, for the message: `pg_restore`. */
  name: string;
  limitMs: number;
  signal: AbortSignal;
  /** Asked a few times within the limit: does anything go on that nobody hears of, such as the building of an index? */
  isBusy?: () => Promise<boolean>;
}

/**
 * Runs work that may last, but not stand still: a program that hangs is stopped when nothing was heard of it for
 * `limitMs`. Longer than that it may be silent as long as `isBusy` says so.
 *
 * @throws TendError TOOL_TIMED_OUT.
 */
export async function withStallLimit<T>(
  options: StallLimitOptions,
  work: (signal: AbortSignal, noteProgress: () => void) => Promise<T>,
): Promise<T> {
  const { name, limitMs, signal, isBusy } = options;
  const stalled = new AbortController();
  let idleChecks = 0;
  const noteProgress = () => {
    idleChecks = 0;
  };
  const check = async () => {
    idleChecks += 1;
    if (await isBusy?.().catch(() => false)) idleChecks = 0;
    else if (idleChecks >= checksWithin) stalled.abort();
  };
  const timer = setInterval(() => void check(), limitMs / checksWithin);
  try {
    return await work(AbortSignal.any([signal, stalled.signal]), noteProgress);
  } catch (error) {
    signal.throwIfAborted();
    if (!stalled.signal.aborted) throw error;
    throw new TendError(
      'TOOL_TIMED_OUT',
      `"${name}" was stopped: it made no progress for ${formatDuration(limitMs)}.`,
      { cause: error },
    );
  } finally {
    clearInterval(timer);
  }
}

const checksWithin = 5;
