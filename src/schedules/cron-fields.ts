/** One of the five fields of a cron expression. */
export interface CronField {
  name: string;
  low: number;
  high: number;
  /** Names in place of numbers; the first one stands for `low`. */
  names: readonly string[];
  /** What the field takes, to complete `"60" is not …`. */
  allowed: string;
}

/** Why a text is no schedule, and what would be one. */
export interface CronProblem {
  problem: string;
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

export const cronFields = {
  minute: { name: 'minute', low: 0, high: 59, names: [], allowed: 'from 0 to 59' },
  hour: { name: 'hour', low: 0, high: 23, names: [], allowed: 'from 0 to 23' },
  day: { name: 'day of month', low: 1, high: 31, names: [], allowed: 'from 1 to 31' },
  month: { name: 'month', low: 1, high: 12, names: months, allowed: 'from 1 to 12 or from jan to dec' },
  /** 0 and 7 are both Sunday. */
  weekday: {
    name: 'day of week',
    low: 0,
    high: 7,
    names: weekdays,
    allowed: 'from 0 to 7 or from sun to sat',
  },
} as const satisfies Record<string, CronField>;
