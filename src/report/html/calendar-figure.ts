import { findPlannedOccurrences } from '../../schedules/find-planned-occurrences.ts';
import type { ScheduleState } from '../find-schedule-states.ts';
import type { PastHour } from '../history/find-past-occurrences.ts';
import { type CalendarHour, drawCalendar } from './calendar.ts';
import { drawFigure } from './figure.ts';
import { formatDay, formatUtc } from './format-utc.ts';
import type { Markup } from './markup.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

export interface DrawScheduleCalendarOptions {
  now: Date;
  schedules: readonly ScheduleState[];
  past: readonly PastHour[];
}

/** A week of occurrences by hour of UTC: three days back, today, three days ahead. Nothing without a schedule. */
export function drawScheduleCalendar({
  now,
  schedules,
  past,
}: DrawScheduleCalendarOptions): Markup | undefined {
  if (schedules.length === 0) return undefined;
  const first = Math.floor(now.getTime() / dayMs) * dayMs - 3 * dayMs;
  const hours = Array.from({ length: 7 * 24 }, (): CalendarHour => ({ good: 0, bad: 0, planned: 0 }));
  const hourAt = (time: Date) => hours[Math.floor((time.getTime() - first) / hourMs)];
  for (const { hour, good, bad } of past) Object.assign(hourAt(hour) ?? {}, { good, bad });
  const planned = findPlannedOccurrences({
    schedules: schedules.filter(({ isEnabled, problem }) => isEnabled && problem === null),
    ...{ after: now, until: new Date(first + 7 * dayMs - 1) },
  });
  for (const time of planned) {
    const hour = hourAt(time);
    if (hour !== undefined) hour.planned += 1;
  }
  const count = (key: keyof CalendarHour) => hours.reduce((total, hour) => total + hour[key], 0);
  const description = `Occurrences by hour of UTC: in three days and today ${count('good')} done and ${count('bad')} not done, ${count('planned')} planned until ${formatDay(new Date(first + 6 * dayMs))}.`;
  const days = Array.from({ length: 7 }, (_, day) => ({
    label: formatDay(new Date(first + day * dayMs)),
    hours: hours.slice(day * 24, day * 24 + 24),
  }));
  return drawFigure({
    ...{ title: 'Schedules', summary: description, chart: drawCalendar({ description, days }) },
    legend: [
      { name: 'done', color: 'good' },
      { name: 'failed, held, missed or cancelled', color: 'bad' },
      { name: 'planned', color: 'planned' },
    ],
    columns: ['Schedule', 'Last', 'Next', 'Cron', 'Time zone'],
    rows: schedules.map(({ name, lastSlot, nextSlot, cron, timezone }) => [
      ...[name, formatUtc(lastSlot), formatUtc(nextSlot), cron, timezone],
    ]),
  });
}
