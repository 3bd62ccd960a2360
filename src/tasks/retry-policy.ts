/**
 * Milliseconds until a failed attempt is tried again: exponential (base, 2·base, 4·base, …), spread by ±20 % so that
 * tasks that failed together do not return together, also at the cap, which is never exceeded.
 *
 * @param options.attempt number of the attempt that failed, from 1.
 * @param options.random uniform in [0, 1).
 */
export function retryDelayMs(options: {
  attempt: number;
  baseMs: number;
  capMs: number;
  random: number;
}): number {
  const { attempt, baseMs, capMs, random } = options;
  const exponential = baseMs * 2 ** Math.min(attempt - 1, 40);
  return Math.round(Math.min(exponential, capMs / 1.2) * (0.8 + 0.4 * random));
}
