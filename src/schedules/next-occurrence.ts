import { findRuns, instantOf } from './find-runs.ts';
import type { CronExpression } from './parse-cron.ts';

/** The longest wait there is: 29 February on a Sunday, from 2088 to 2128, as 2100 has none. */
export const horizonMs = 41 * 366 * 86_400_000;

/**
 * The first occurrence strictly after an instant. Undefined when none comes in 41 years: a schedule that is only ever
 * due in the gap of a change of the clocks, such as every minute from 2 to 3 on a 29 March that is a Sunday, in Warsaw.
 */
export function nextOccurrence(options: {
  cron: CronExpression;
  timezone: string;
  after: Date;
}): Date | undefined {
  const after = options.after.getTime();
  for (const run of findRuns({ ...options, after, until: after + horizonMs })) return instantOf(run, 0);
  return undefined;
}
