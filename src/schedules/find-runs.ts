import { localTimes } from './local-times.ts';
import type { CronExpression } from './parse-cron.ts';
import { type ZoneSpan, zoneSpans } from './zone-spans.ts';

/** Some occurrences of one day, all under the same offset: `base` plus `times[first]` to `times[end - 1]` minutes. */
export interface Run {
  base: number;
  times: readonly number[];
  first: number;
  end: number;
  span: ZoneSpan;
  /** Local minutes (since 1970) that the clocks skipped and that this run, of one occurrence, makes up for. */
  skipped: readonly number[];
}

const minuteMs = 60_000;
/** In minutes. cron.c, main: clocks that go forward by this much, or back by more, were set right. */
const largestChange = 180;

/**
 * The occurrences of an expression after `after` and until `until` (milliseconds), ascending, found by the day.
 *
 * Through a change of the clocks as cron(8) of Debian goes:
 * - a frequent schedule goes by the clock: nothing in a gap, all of it twice in repeated time;
 * - any other one that is due in a gap runs at the first instant after it, once for all its skipped times (an
 *   occurrence is known by its instant; cron would start it once for each);
 * - in repeated time it runs the first time only;
 * - a change of 3 hours or more is no matter of daylight saving: what the new clock shows counts.
 *
 * A change of less than five minutes, which no zone has, cron takes for having slept; here it is one like the others.
 */
export function* findRuns(options: {
  cron: CronExpression;
  timezone: string;
  after: number;
  until: number;
}): Generator<Run, void> {
  const { cron, timezone, after, until } = options;
  // local time up to which a schedule that is not frequent has run; right from a day before, when no hour repeats yet
  let served: number | undefined;
  for (const span of zoneSpans(timezone, after - 86_400_000)) {
    if (span.start > until) return;
    const localStart = Math.ceil((span.start + span.offset) / minuteMs);
    const localEnd = Math.ceil((span.end + span.offset) / minuteMs);
    const change = localStart - (served ?? localStart);
    const isNewTime = cron.isFrequent || change >= largestChange || change < -largestChange;
    const start = isNewTime ? localStart : (served ?? localStart);
    served = isNewTime ? localEnd : Math.max(start, localEnd);

    let next = Math.max(start, localStart);
    const skipped = start < localStart ? localMinutes(cron, start, localStart) : [];
    if (skipped.length > 0) {
      if (span.start > after) yield { base: span.start, times: [0], first: 0, end: 1, span, skipped };
      if (next * minuteMs - span.offset === span.start) next += 1;
    }
    next = Math.max(next, Math.floor((after + span.offset) / minuteMs) + 1);
    const end = Math.min(localEnd, Math.floor((until + span.offset) / minuteMs) + 1);
    for (const day of localTimes(cron, next, end)) {
      const base = day.midnight * minuteMs - span.offset;
      yield { base, times: cron.times, first: day.first, end: day.end, span, skipped: [] };
    }
  }
}

/** The instant of one occurrence of a run, counted from 0 on, or from -1 backwards. */
export function instantOf(run: Run, index: number): Date {
  const time = run.times[index < 0 ? run.end + index : run.first + index] ?? Number.NaN;
  return new Date(run.base + time * minuteMs);
}

function localMinutes(cron: CronExpression, from: number, until: number): number[] {
  const days = [...localTimes(cron, from, until)];
  return days.flatMap((day) => cron.times.slice(day.first, day.end).map((time) => day.midnight + time));
}
