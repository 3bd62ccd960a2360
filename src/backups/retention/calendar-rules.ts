/** A rule of `[backup] keep` that goes by the calendar. */
export type CalendarRule = 'daily' | 'weekly' | 'monthly';

/** What each rule calls the day, ISO 8601 week or month of a time, in UTC: `2026-11-20`, `2026-W47`, `2026-11`. */
export const calendarRules: readonly [CalendarRule, (time: Date) => string][] = [
  ['daily', (time) => time.toISOString().slice(0, 10)],
  ['weekly', isoWeek],
  ['monthly', (time) => time.toISOString().slice(0, 7)],
];

const dayMs = 86_400_000;

/** A week belongs to the year that its Thursday is in. */
function isoWeek(time: Date): string {
  const daysAfterMonday = (time.getUTCDay() + 6) % 7;
  const thursday = new Date(time.getTime() + (3 - daysAfterMonday) * dayMs);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / dayMs / 7) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}
