import { countOf } from '../count-of.ts';
import { formatDuration } from '../duration.ts';
import { checkTimezone } from './check-timezone.ts';
import { nextOccurrence } from './next-occurrence.ts';
import { occurrencesBetween } from './occurrences-between.ts';
import { parseCron } from './parse-cron.ts';

/** What decides which occurrences of a schedule are due, and what becomes of each. */
export interface PlannableSchedule {
  cron: string;
  timezone: string;
  catchUp: 'none' | 'latest' | 'all';
  maxLateMs: number;
  /** The first occurrence not dealt with; null where no tick has planned the schedule yet. */
  nextSlot: Date | null;
  /** Occurrences up to this time never existed. */
  definedAt: Date;
}

export interface PlannedOccurrence {
  slotAt: Date;
  /** Why it is not run; null where it is. */
  reason: string | null;
}

export interface OccurrencePlan {
  /** Those that are due, oldest first. */
  occurrences: PlannedOccurrence[];
  /** The first one after now; undefined where there is none ever again. */
  nextSlot: Date | undefined;
}

/** Single rows for at most this many occurrences at once; older ones are counted in one. */
const listedOccurrences = 100;

/** With catch_up = none an occurrence runs if a tick that comes every minute may not have come earlier. */
const punctualMs = 120_000;

/**
 * Decides about every occurrence that is due: run it, or leave it out with a reason. Costs milliseconds however long
 * nobody ticked: what lies further back than a hundred occurrences is counted, not walked.
 *
 * @param options.now the database's clock.
 * @returns `problem` where the expression or the zone cannot be read: written by hand into the table, or a zone that this
 *   host's time zone data does not have.
 */
export function planOccurrences(
  schedule: PlannableSchedule,
  options: { now: Date },
): OccurrencePlan | { problem: string } {
  const { now } = options;
  const parsed = parseCron(schedule.cron);
  if ('problem' in parsed) return parsed;
  const badZone = checkTimezone(schedule.timezone);
  if (badZone !== undefined) return { problem: badZone };
  const rule = { cron: parsed.cron, timezone: schedule.timezone };
  const after = schedule.nextSlot === null ? schedule.definedAt : new Date(schedule.nextSlot.getTime() - 1);
  const due = occurrencesBetween({ ...rule, after, until: now, newest: listedOccurrences });
  const from = new Date(Math.max(now.getTime(), after.getTime()));
  return {
    occurrences: [...toEarlierRow(due.earlier), ...judge(due.newest, schedule, now)],
    nextSlot: nextOccurrence({ ...rule, after: from }),
  };
}

function toEarlierRow(earlier: { count: number; first: Date; last: Date } | undefined): PlannedOccurrence[] {
  if (earlier === undefined) return [];
  const { count, first, last } = earlier;
  const reason =
    `missed: ${countOf(count, 'occurrence')} from ${first.toISOString()} to ${last.toISOString()}; ` +
    `no tick came, and only the ${listedOccurrences} after them are listed one by one`;
  return [{ slotAt: last, reason }];
}

function judge(slots: readonly Date[], schedule: PlannableSchedule, now: Date): PlannedOccurrence[] {
  const { catchUp, maxLateMs } = schedule;
  return slots.map((slotAt, index) => {
    const lateMs = now.getTime() - slotAt.getTime();
    const late = `missed: ${formatDuration(lateMs)} late`;
    if (lateMs > Math.max(maxLateMs, punctualMs)) {
      return { slotAt, reason: `${late}, and max_late is ${formatDuration(maxLateMs)}` };
    }
    if (catchUp === 'none' && lateMs > punctualMs) return { slotAt, reason: `${late}, and catch_up is none` };
    if (catchUp !== 'all' && index < slots.length - 1) {
      // Not an alarm: what it would have done, the later one does.
      return { slotAt, reason: `superseded: ${formatDuration(lateMs)} late, and a later one is due as well` };
    }
    return { slotAt, reason: null };
  });
}
