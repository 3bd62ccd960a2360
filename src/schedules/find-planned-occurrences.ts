import { occurrencesBetween } from './occurrences-between.ts';
import { parseCron } from './parse-cron.ts';

export interface PlannedSchedule {
  cron: string;
  timezone: string;
}

/**
 * When the schedules have an occurrence after `after` and until `until`, for a calendar: of each the latest ten thousand, one
 * a minute for nearly a week. What cannot be parsed has none.
 */
export function findPlannedOccurrences(options: {
  schedules: readonly PlannedSchedule[];
  after: Date;
  until: Date;
}): Date[] {
  const { schedules, after, until } = options;
  return schedules.flatMap(({ cron, timezone }) => {
    const parsed = parseCron(cron);
    if ('problem' in parsed) return [];
    return occurrencesBetween({ cron: parsed.cron, timezone, after, until, newest: 10_000 }).newest;
  });
}
