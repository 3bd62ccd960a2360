import { findRuns, instantOf, type Run } from './find-runs.ts';
import type { CronExpression } from './parse-cron.ts';

export interface Occurrences {
  /** The latest ones, ascending. */
  newest: Date[];
  /** Those before the listed ones: counted, not listed. */
  earlier: { count: number; first: Date; last: Date } | undefined;
}

/**
 * The occurrences after `after` and until `until`, that one included: the latest of them, `newest` at most, one by one,
 * the others counted exactly. Its cost grows with the days between, not with the occurrences.
 */
export function occurrencesBetween(options: {
  cron: CronExpression;
  timezone: string;
  after: Date;
  until: Date;
  newest: number;
}): Occurrences {
  const runs = [...findRuns({ ...options, after: options.after.getTime(), until: options.until.getTime() })];
  const newest: Date[] = [];
  let run = runs.pop();
  while (run !== undefined && newest.length < options.newest) {
    newest.push(instantOf(run, -1));
    run = run.end - run.first > 1 ? { ...run, end: run.end - 1 } : runs.pop();
  }
  return { newest: newest.reverse(), earlier: run && summarise([...runs, run]) };
}

function summarise(runs: readonly Run[]): Occurrences['earlier'] {
  const [first, last] = [runs[0], runs.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const count = runs.reduce((sum, run) => sum + run.end - run.first, 0);
  return { count, first: instantOf(first, 0), last: instantOf(last, -1) };
}
