import type { CronExpression } from './parse-cron.ts';

/** Times of one day at which an expression is due: `times[first]` to `times[end - 1]` of the expression. */
export interface DayTimes {
  /** Minutes from 1970-01-01 00:00 to the day's midnight, by the local clock. */
  midnight: number;
  first: number;
  end: number;
}

const dayMinutes = 1440;

/** When an expression is due by the local clock from minute `from` on and before minute `until`: day by day, never empty. */
export function* localTimes(cron: CronExpression, from: number, until: number): Generator<DayTimes, void> {
  for (let day = Math.floor(from / dayMinutes); day * dayMinutes < until; day += 1) {
    if (!isDueOn(cron, new Date(day * dayMinutes * 60_000))) continue;
    const midnight = day * dayMinutes;
    const first = countBefore(cron.times, from - midnight);
    const end = countBefore(cron.times, until - midnight);
    if (first < end) yield { midnight, first, end };
  }
}

function isDueOn(cron: CronExpression, date: Date): boolean {
  if (!cron.months.has(date.getUTCMonth() + 1)) return false;
  const isDay = cron.days.has(date.getUTCDate());
  const isWeekday = cron.weekdays.has(date.getUTCDay());
  return cron.isEitherDay ? isDay || isWeekday : isDay && isWeekday;
}

/** How many of the ascending `times` are before `time`. */
function countBefore(times: readonly number[], time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? time) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
