import { type CronProblem, cronFields } from './cron-fields.ts';
import { parseCronField } from './parse-cron-field.ts';
import { quotePart } from './quote-part.ts';

/** When a schedule is due, by the clock on the wall of its time zone. */
export interface CronExpression {
  /** Minutes of the day, ascending: every listed minute of every listed hour. */
  times: readonly number[];
  days: ReadonlySet<number>;
  /** 1 is January. */
  months: ReadonlySet<number>;
  /** 0 is Sunday. */
  weekdays: ReadonlySet<number>;
  /** A day need only be in `days` or in `weekdays`: neither field begins with `*`. Else it must be in both. */
  isEitherDay: boolean;
  /**
   * The minute or the hour field begins with `*`: the schedule goes by the real clock through a change of daylight
   * saving time, with nothing in a gap and everything twice in a repeated hour (MIN_STAR and HR_STAR in cron's entry.c).
   */
  isFrequent: boolean;
}

const nicknames: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

/**
 * Parses a cron expression as crontab(5) of Debian defines it: exactly five fields separated by blanks, or one of the
 * nicknames. What could never be due is a problem too. `tend.check_cron` in the database says the same, word for word:
 * change both.
 */
export function parseCron(text: string): { cron: CronExpression } | CronProblem {
  const fields = splitFields(text);
  if ('problem' in fields) return fields;
  const { minute, hour, day, month, weekday } = fields;
  const minutes = parseCronField(minute, cronFields.minute);
  if ('problem' in minutes) return minutes;
  const hours = parseCronField(hour, cronFields.hour);
  if ('problem' in hours) return hours;
  const days = parseCronField(day, cronFields.day);
  if ('problem' in days) return days;
  const months = parseCronField(month, cronFields.month);
  if ('problem' in months) return months;
  const weekdays = parseCronField(weekday, cronFields.weekday);
  if ('problem' in weekdays) return weekdays;

  const longest = longestMonth(months.values);
  if (weekday.startsWith('*') && Math.min(...days.values) > longest) {
    const never = `${quotePart(day)} never comes: month ${quotePart(month)} has ${longest} days at most`;
    return { problem: `${cronFields.day.name}: ${never}` };
  }
  return {
    cron: {
      times: timesOfDay(hours.values, minutes.values),
      days: days.values,
      months: months.values,
      weekdays: new Set([...weekdays.values].map((value) => value % 7)),
      isEitherDay: !day.startsWith('*') && !weekday.startsWith('*'),
      isFrequent: minute.startsWith('*') || hour.startsWith('*'),
    },
  };
}

type FieldTexts = Record<keyof typeof cronFields, string>;

function splitFields(text: string): FieldTexts | CronProblem {
  let parts = text.split(/[ \t]+/).filter((part) => part !== '');
  const quoted = quotePart(parts.join(' '));
  const known = Object.keys(nicknames).join(' ');
  if (parts[0]?.startsWith('@')) {
    const expression = parts.length === 1 ? nicknames[parts[0]] : undefined;
    if (expression === undefined) return { problem: `${quoted} is none of ${known}` };
    parts = expression.split(' ');
  }
  const [minute, hour, day, month, weekday, ...more] = parts;
  if (minute && hour && day && month && weekday && more.length === 0) {
    return { minute, hour, day, month, weekday };
  }
  const found = `${quoted} has ${parts.length} ${parts.length === 1 ? 'field' : 'fields'}`;
  return {
    problem: `${found}: write five (minute, hour, day of month, month, day of week) or one of ${known}`,
  };
}

function timesOfDay(hours: ReadonlySet<number>, minutes: ReadonlySet<number>): number[] {
  const sorted = ascending(minutes);
  return ascending(hours).flatMap((hour) => sorted.map((minute) => hour * 60 + minute));
}

function ascending(values: ReadonlySet<number>): number[] {
  return [...values].sort((left, right) => left - right);
}

/** Days of the longest of the months, in a leap year. */
function longestMonth(months: ReadonlySet<number>): number {
  return Math.max(
    ...[...months].map((month) => (month === 2 ? 29 : [4, 6, 9, 11].includes(month) ? 30 : 31)),
  );
}
