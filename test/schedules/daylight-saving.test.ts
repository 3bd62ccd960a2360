import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextOccurrence } from '../../src/schedules/next-occurrence.ts';
import { occurrencesBetween } from '../../src/schedules/occurrences-between.ts';
import { zoneSpans } from '../../src/schedules/zone-spans.ts';
import { nightlyTexts } from './support/cron-texts.ts';
import { cron } from './support/schedule.ts';
import { passingMinutes, simulateCron } from './support/simulate-cron.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Times of day in UTC, of the occurrences from `from` on and before `until`. */
function timesBetween(text: string, timezone: string, from: string, until: string): string {
  const [after, last] = [new Date(Date.parse(from) - 1), new Date(Date.parse(until) - 1)];
  const { newest } = occurrencesBetween({ cron: cron(text), timezone, after, until: last, newest: 1000 });
  return newest.map((date) => date.toISOString().slice(11, 16)).join(' ');
}

const zones = [
  {
    // 2026-03-29 02:00 +01:00 → 03:00 +02:00
    change: 'Warsaw goes forward from 02:00 to 03:00 (01:00 UTC)',
    timezone: 'Europe/Warsaw',
    from: '2026-03-28T23:00Z', // midnight
    until: '2026-03-29T03:00Z', // 05:00
    due: {
      '0 2 * * *': '01:00',
      '30 2 * * *': '01:00',
      '59 1 * * *': '00:59',
      '0 3 * * *': '01:00',
      '1 3 * * *': '01:01',
      '0,30 2 * * *': '01:00',
      '30 2,3 * * *': '01:00 01:30',
      '0 1-4 * * *': '00:00 01:00 02:00',
      '*/15 2 * * *': '',
      '* 2 * * *': '',
      '0-59/15 2 * * *': '01:00',
      '*/30 * * * *': '23:00 23:30 00:00 00:30 01:00 01:30 02:00 02:30',
      '30 * * * *': '23:30 00:30 01:30 02:30',
      '30 */2 * * *': '23:30 02:30',
      '30 2 29 3 *': '01:00',
      '30 2 * * 0': '01:00',
      '30 2 30 3 *': '',
      '30 2 * * mon-sat': '',
      '@daily': '23:00',
      '@hourly': '23:00 00:00 01:00 02:00',
    },
  },
  {
    change: 'Warsaw goes back from 03:00 to 02:00 (01:00 UTC)',
    timezone: 'Europe/Warsaw',
    from: '2026-10-24T22:00Z', // midnight
    until: '2026-10-25T04:00Z', // 05:00
    due: {
      '0 2 * * *': '00:00',
      '30 2 * * *': '00:30',
      '0 3 * * *': '02:00',
      '59 1 * * *': '23:59',
      '0,30 2 * * *': '00:00 00:30',
      '0 1-4 * * *': '23:00 00:00 02:00 03:00',
      '*/15 2 * * *': '00:00 00:15 00:30 00:45 01:00 01:15 01:30 01:45',
      '*/30 * * * *': '22:00 22:30 23:00 23:30 00:00 00:30 01:00 01:30 02:00 02:30 03:00 03:30',
      '30 * * * *': '22:30 23:30 00:30 01:30 02:30 03:30',
      '30 */2 * * *': '22:30 00:30 01:30 03:30',
      '30 2 25 10 *': '00:30',
      '30 2 * * 0': '00:30',
      '30 2 * * 1': '',
      '@daily': '22:00',
    },
  },
  {
    // 02:00 -05:00 → 03:00 -04:00
    change: 'New York goes forward from 02:00 to 03:00 (07:00 UTC)',
    timezone: 'America/New_York',
    from: '2026-03-08T05:00Z',
    until: '2026-03-08T09:00Z',
    due: {
      '30 2 * * *': '07:00',
      '0,30 2,3 * * *': '07:00 07:30',
      '*/15 2 * * *': '',
      '*/30 * * * *': '05:00 05:30 06:00 06:30 07:00 07:30 08:00 08:30',
      '30 * * * *': '05:30 06:30 07:30 08:30',
      '30 2 8 * *': '07:00',
      '30 2 9 * *': '',
    },
  },
  {
    change: 'New York goes back from 02:00 to 01:00 (06:00 UTC)',
    timezone: 'America/New_York',
    from: '2026-11-01T04:00Z',
    until: '2026-11-01T09:00Z',
    due: {
      '30 1 * * *': '05:30',
      '0 2 * * *': '07:00',
      '*/30 1 * * *': '05:00 05:30 06:00 06:30',
      '*/30 * * * *': '04:00 04:30 05:00 05:30 06:00 06:30 07:00 07:30 08:00 08:30',
      '30 * * * *': '04:30 05:30 06:30 07:30 08:30',
    },
  },
  {
    // 02:00 +10:30 → 02:30 +11:00
    change: 'Lord Howe goes forward by half an hour from 02:00 to 02:30 (15:30 UTC)',
    timezone: 'Australia/Lord_Howe',
    from: '2026-10-03T13:30Z',
    until: '2026-10-03T17:00Z',
    due: {
      '0 2 * * *': '15:30',
      '15 2 * * *': '15:30',
      '15,45 2 * * *': '15:30 15:45',
      '30 2 * * *': '15:30',
      '*/15 2 * * *': '15:30 15:45',
      '*/30 * * * *': '13:30 14:00 14:30 15:00 15:30 16:00 16:30',
      '15 * * * *': '13:45 14:45 16:15',
    },
  },
  {
    // 02:00 +11:00 → 01:30 +10:30
    change: 'Lord Howe goes back by half an hour from 02:00 to 01:30 (15:00 UTC)',
    timezone: 'Australia/Lord_Howe',
    from: '2026-04-04T13:00Z',
    until: '2026-04-04T17:30Z',
    due: {
      '45 1 * * *': '14:45',
      '0 2 * * *': '15:30',
      '15 1 * * *': '14:15',
      '*/15 1 * * *': '14:00 14:15 14:30 14:45 15:00 15:15',
      '*/30 * * * *': '13:00 13:30 14:00 14:30 15:00 15:30 16:00 16:30 17:00',
      '45 * * * *': '13:45 14:45 15:15 16:15 17:15',
    },
  },
  {
    change: 'UTC never changes',
    timezone: 'UTC',
    from: '2026-03-29T00:00Z',
    until: '2026-03-29T05:00Z',
    due: {
      '30 2 * * *': '02:30',
      '*/15 2 * * *': '02:00 02:15 02:30 02:45',
      '30 * * * *': '00:30 01:30 02:30 03:30 04:30',
    },
  },
  {
    // 24:00 -04:00 → 01:00 -03:00: there is no midnight
    change: 'Santiago goes forward from midnight to 01:00 (04:00 UTC)',
    timezone: 'America/Santiago',
    from: '2026-09-06T03:00Z',
    until: '2026-09-06T06:00Z',
    due: {
      '@daily': '04:00',
      '30 0 * * *': '04:00',
      '30 0 6 9 *': '04:00',
      '30 0 5 9 *': '',
      '30 0 * * 0': '04:00',
      '30 23 5 9 *': '03:30',
      '*/30 0 * * *': '',
      '0 * * * *': '03:00 04:00 05:00',
    },
  },
  {
    // 24:00 -03:00 → 23:00 -04:00: an hour of the day before comes twice
    change: 'Santiago goes back from midnight to 23:00 (03:00 UTC)',
    timezone: 'America/Santiago',
    from: '2026-04-05T01:00Z',
    until: '2026-04-05T06:00Z',
    due: {
      '@daily': '04:00',
      '30 23 * * *': '02:30',
      '30 23 4 4 *': '02:30',
      '30 23 * * sun': '',
      '*/30 23 * * *': '02:00 02:30 03:00 03:30',
    },
  },
  {
    // 2011-12-29 24:00 -10:00 → 2011-12-31 00:00 +14:00: no 30 December
    change: 'Samoa skips a day (10:00 UTC), which is no matter of daylight saving',
    timezone: 'Pacific/Apia',
    from: '2011-12-30T08:00Z',
    until: '2011-12-30T13:00Z',
    due: {
      '0 0 * * *': '10:00',
      '0 0 30 12 *': '',
      '0 12 30 12 *': '',
      '0 22-23 * * *': '08:00 09:00',
      '30 1 * * *': '11:30',
      '0 * 29-31 12 *': '08:00 09:00 10:00 11:00 12:00',
    },
  },
  {
    // 02:00 +11:00 → 23:00 +08:00 on the day before: just not too large
    change: 'Casey goes back by three hours from 02:00 to 23:00 (15:00 UTC)',
    timezone: 'Antarctica/Casey',
    from: '2010-03-04T12:00Z',
    until: '2010-03-04T19:00Z',
    due: { '30 * * * *': '12:30 13:30 14:30 15:30 16:30 17:30 18:30', '30 0-2 * * *': '13:30 14:30 18:30' },
  },
  {
    // 02:00 +08:00 → 05:00 +11:00: too large to be made up for
    change: 'Casey goes forward by three hours from 02:00 to 05:00 (18:00 UTC)',
    timezone: 'Antarctica/Casey',
    from: '2009-10-17T16:00Z',
    until: '2009-10-17T20:00Z',
    due: { '30 2 * * *': '', '0 5 * * *': '18:00', '30 0-5 * * *': '16:30 17:30 18:30' },
  },
];

describe.each(zones)('when $change', ({ timezone, from, until, due }) => {
  it.each(Object.entries(due))('%s is due at %s', (text, expected) => {
    expect(timesBetween(text, timezone, from, until)).toBe(expected);
  });
});

/** Instants at which clocks of a zone change in a year. */
function changesOf(timezone: string, year: number): number[] {
  const found: number[] = [];
  let offset: number | undefined;
  for (const span of zoneSpans(timezone, Date.UTC(year, 0))) {
    if (span.start >= Date.UTC(year + 1, 0)) return found;
    if (offset !== undefined && offset !== span.offset) found.push(span.start);
    offset = span.offset;
  }
  return found;
}

describe('a cron daemon, played minute by minute,', () => {
  it.each([
    ['Europe/Warsaw', 2026, 2],
    ['America/New_York', 2026, 2],
    ['Australia/Lord_Howe', 2026, 2],
    ['America/Santiago', 2026, 2],
    ['Africa/Cairo', 2026, 2],
    ['Africa/Casablanca', 2025, 2],
    ['Europe/Dublin', 2026, 2],
    ['America/St_Johns', 2006, 2],
    ['Antarctica/Troll', 2026, 2],
    ['Pacific/Apia', 2011, 3],
    ['Antarctica/Casey', 2010, 1],
    ['America/Caracas', 2016, 1],
    ['Asia/Pyongyang', 2018, 1],
    ['Pacific/Kwajalein', 1993, 1],
  ])('starts in %s in %i what is due', (timezone, year, count) => {
    const changes = changesOf(timezone, year);
    expect(changes).toHaveLength(count);
    const weeks = changes.map((change) => {
      const minutes = passingMinutes(timezone, change - 2 * dayMs, change + 2 * dayMs);
      return { minutes, after: new Date(change - 2 * dayMs), until: new Date(change + 2 * dayMs) };
    });
    fc.assert(
      fc.property(nightlyTexts, (text) => {
        const expression = cron(text);
        for (const { minutes, after, until } of weeks) {
          const found = occurrencesBetween({ cron: expression, timezone, after, until, newest: 10_000 });
          expect(found.newest.map(Number)).toEqual(simulateCron(text, minutes));
        }
      }),
      { numRuns: 60 },
    );
  });
});

it('every zone gets on through its changes of 2026, later and later', () => {
  const expressions = ['* * * * *', '*/30 2 * * *', '30 0-4 * * *', '0 0 * * *', '15,45 23,1 * * *'].map(
    cron,
  );
  for (const timezone of Intl.supportedValuesOf('timeZone')) {
    for (const change of changesOf(timezone, 2026)) {
      for (const expression of expressions) {
        let after = new Date(change - 3 * hourMs);
        const until = new Date(change + 3 * hourMs);
        const stepped: Date[] = [];
        while (after < until) {
          const next = nextOccurrence({ cron: expression, timezone, after });
          if (next === undefined || next <= after)
            throw new Error(`${timezone}: ${String(next)} after ${after.toISOString()}`);
          after = next;
          if (next <= until) stepped.push(next);
        }
        const from = new Date(change - 3 * hourMs);
        const { newest } = occurrencesBetween({
          cron: expression,
          timezone,
          after: from,
          until,
          newest: 1000,
        });
        expect(newest).toEqual(stepped);
      }
    }
  }
});
