import { findRuns, instantOf, type Run } from './find-runs.ts';
import { localTimes } from './local-times.ts';
import { horizonMs } from './next-occurrence.ts';
import type { CronExpression } from './parse-cron.ts';
import { zoneSpans } from './zone-spans.ts';

export interface DescribedOccurrence {
  at: Date;
  /** By the clock of the schedule's zone: `2026-10-25 02:30`. */
  local: string;
  /** Of that clock from UTC: `+02:00`. */
  offset: string;
  /** What a change of the clocks does to this occurrence; null for most. */
  dst: string | null;
}

const minuteMs = 60_000;
const twoDaysMs = 2 * 86_400_000;

/** The next `count` occurrences after an instant, as a person looks for them on the wall; fewer when there are no more. */
export function describeOccurrences(options: {
  cron: CronExpression;
  timezone: string;
  after: Date;
  count: number;
}): DescribedOccurrence[] {
  const described: DescribedOccurrence[] = [];
  let after = options.after.getTime();
  while (described.length < options.count) {
    const [run] = findRuns({ ...options, after, until: after + horizonMs });
    if (run === undefined) break;
    for (let index = 0; index < run.end - run.first; index += 1) {
      described.push(describe({ ...options, run, at: instantOf(run, index) }));
    }
    after = instantOf(run, -1).getTime();
  }
  return described.slice(0, options.count);
}

interface Subject {
  cron: CronExpression;
  timezone: string;
  run: Run;
  at: Date;
}

function describe(subject: Subject): DescribedOccurrence {
  const { at, run } = subject;
  const { offset } = run.span;
  const minutes = Math.abs(offset) / minuteMs;
  return {
    at,
    local: formatLocal(at.getTime() + offset).join(' '),
    offset: `${offset < 0 ? '-' : '+'}${formatTime(minutes)}`,
    dst: run.skipped.length > 0 ? describeGap(subject) : describeRepeated(subject),
  };
}

function describeGap({ cron, run, at }: Subject): string {
  const local = at.getTime() + run.span.offset;
  const [, time] = formatLocal(local);
  const skipped = run.skipped.map((minute) => formatTime(minute % 1440));
  const [first, last] = [skipped[0], skipped.at(-1)];
  const isDueAnyway = !localTimes(cron, local / minuteMs, local / minuteMs + 1).next().done;
  const where = `${isDueAnyway ? 'together with' : 'at'} ${time}`;
  if (skipped.length === 1) return `clocks go forward: ${first} does not exist, runs ${where}`;
  const times =
    skipped.length === 2 ? `${first} and ${last}` : `${first} to ${last} (${skipped.length} times)`;
  return `clocks go forward: ${times} do not exist, run once ${where}`;
}

function describeRepeated({ cron, timezone, run, at }: Subject): string | null {
  const local = at.getTime() + run.span.offset;
  const twin = findTwin(timezone, at.getTime(), local);
  if (twin === undefined) return null;
  const [, time] = formatLocal(local);
  if (twin < at.getTime()) return `clocks go back: second ${time}`;
  const runsAgain = !findRuns({ cron, timezone, after: twin - 1, until: twin }).next().done;
  return `clocks go back: first of two ${time}${runsAgain ? '' : ', the only run'}`;
}

/** The other instant at which the clocks of the zone show the same time. */
function findTwin(timezone: string, at: number, local: number): number | undefined {
  for (const span of zoneSpans(timezone, at - twoDaysMs)) {
    if (span.start > at + twoDaysMs) return undefined;
    const twin = local - span.offset;
    if (twin !== at && twin >= span.start && twin < span.end) return twin;
  }
}

/** A local time in milliseconds as its date and its time of day. */
function formatLocal(local: number): [string, string] {
  const text = new Date(local).toISOString();
  return [text.slice(0, 10), text.slice(11, 16)];
}

function formatTime(minutes: number): string {
  const [hour, minute] = [Math.floor(minutes / 60), Math.floor(minutes % 60)];
  return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
}
