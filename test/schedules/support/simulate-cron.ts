/** What cron keeps of a line of a crontab: a bit for each value of each field, and which fields begin with a star. */
interface Entry {
  minute: boolean[];
  hour: boolean[];
  day: boolean[];
  month: boolean[];
  weekday: boolean[];
  isWild: boolean;
  hasDayStar: boolean;
}

const names = ['jan feb mar apr may jun jul aug sep oct nov dec', 'sun mon tue wed thu fri sat'].map((list) =>
  list.split(' '),
);

function bits(text: string, low: number, high: number): boolean[] {
  const set: boolean[] = [];
  for (const part of text.split(',')) {
    const [base = '', step = '1'] = part.split('/');
    const [first = '', last = first] = base === '*' ? [String(low), String(high)] : base.split('-');
    for (let value = toNumber(first); value <= toNumber(last); value += Number(step)) set[value] = true;
  }
  return set;
}

function toNumber(word: string): number {
  const [month = -1, weekday = -1] = names.map((list) => list.indexOf(word.toLowerCase()));
  return month >= 0 ? month + 1 : weekday >= 0 ? weekday : Number(word);
}

function readEntry(text: string): Entry {
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = text.split(' ');
  const weekdays = bits(weekday, 0, 7);
  if (weekdays[7]) weekdays[0] = true;
  return {
    minute: bits(minute, 0, 59),
    hour: bits(hour, 0, 23),
    day: bits(day, 1, 31),
    month: bits(month, 1, 12),
    weekday: weekdays,
    isWild: minute.startsWith('*') || hour.startsWith('*'),
    hasDayStar: day.startsWith('*') || weekday.startsWith('*'),
  };
}

function matches(entry: Entry, localMinute: number): boolean {
  const clock = new Date(localMinute * 60_000);
  const isDay = entry.day[clock.getUTCDate()] === true;
  const isWeekday = entry.weekday[clock.getUTCDay()] === true;
  return (
    entry.minute[clock.getUTCMinutes()] === true &&
    entry.hour[clock.getUTCHours()] === true &&
    entry.month[clock.getUTCMonth() + 1] === true &&
    (entry.hasDayStar ? isDay && isWeekday : isDay || isWeekday)
  );
}

/** One minute that passes: the instant at which it begins, and what the wall clock shows, in minutes since 1970. */
export interface PassingMinute {
  at: number;
  local: number;
}

/**
 * The instants at which a cron daemon that wakes up every minute starts a job: what main() of Debian's cron.c (3.0pl1)
 * does with its virtual clock, told again here minute by minute. Several starts at one instant are one.
 */
export function simulateCron(text: string, minutes: readonly PassingMinute[]): number[] {
  const entry = readEntry(text);
  const starts = new Set<number>();
  let virtual = minutes[0]?.local ?? 0;
  for (const { at, local } of minutes.slice(1)) {
    const find = (time: number, who: 'all' | 'wild' | 'fixed') => {
      const isAsked = who === 'all' || (who === 'wild') === entry.isWild;
      if (isAsked && matches(entry, time)) starts.add(at);
    };
    const difference = local - virtual;
    if (difference > 180 || difference <= -180) {
      virtual = local;
      find(local, 'all');
    } else if (difference > 5) {
      find(local, 'wild');
      while (virtual < local) find((virtual += 1), 'fixed');
    } else if (difference > 0) {
      while (virtual < local) find((virtual += 1), 'all');
    } else {
      find(local, 'wild');
    }
  }
  return [...starts];
}

/** The minutes between two instants as the clocks of a zone show them: Intl's own local time, not its offsets. */
export function passingMinutes(timezone: string, from: number, until: number): PassingMinute[] {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'short',
  });
  const minutes: PassingMinute[] = [];
  for (let at = from; at <= until; at += 60_000) {
    minutes.push({ at, local: Date.parse(`${format.format(at).replace(' ', 'T')}Z`) / 60_000 });
  }
  return minutes;
}
