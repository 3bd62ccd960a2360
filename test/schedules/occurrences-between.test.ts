import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextOccurrence } from '../../src/schedules/next-occurrence.ts';
import { occurrencesBetween } from '../../src/schedules/occurrences-between.ts';
import { nightlyTexts } from './support/cron-texts.ts';
import { cron } from './support/schedule.ts';

const minuteMs = 60_000;

describe('occurrencesBetween', () => {
  const daily = { cron: cron('0 2 * * *'), timezone: 'UTC', after: new Date('2026-01-01T02:00Z') };

  it('lists the newest, ascending, and counts the others', () => {
    expect(occurrencesBetween({ ...daily, until: new Date('2026-01-06T02:00Z'), newest: 2 })).toEqual({
      newest: [new Date('2026-01-05T02:00Z'), new Date('2026-01-06T02:00Z')],
      earlier: { count: 3, first: new Date('2026-01-02T02:00Z'), last: new Date('2026-01-04T02:00Z') },
    });
  });

  it('leaves out an occurrence at its beginning and takes one at its end', () => {
    const until = new Date('2026-01-02T02:00Z');
    expect(occurrencesBetween({ ...daily, until, newest: 5 })).toEqual({
      newest: [until],
      earlier: undefined,
    });
    const before = new Date(until.getTime() - 1);
    expect(occurrencesBetween({ ...daily, until: before, newest: 5 }).newest).toEqual([]);
  });

  it('only counts when none is to be listed', () => {
    expect(occurrencesBetween({ ...daily, until: new Date('2026-01-03T12:00Z'), newest: 0 })).toEqual({
      newest: [],
      earlier: { count: 2, first: new Date('2026-01-02T02:00Z'), last: new Date('2026-01-03T02:00Z') },
    });
  });

  it('finds nothing in a time that ends before it begins', () => {
    const found = occurrencesBetween({ ...daily, until: new Date('2025-06-01'), newest: 5 });
    expect(found).toEqual({ newest: [], earlier: undefined });
  });

  it.each([
    // a month of downtime, with the hour that Warsaw skips and with the one that it repeats
    { timezone: 'UTC', from: '2026-03-01T00:00Z', until: '2026-04-01T00:00Z', total: 44_640 },
    { timezone: 'Europe/Warsaw', from: '2026-02-28T23:00Z', until: '2026-03-31T22:00Z', total: 44_580 },
    { timezone: 'Europe/Warsaw', from: '2026-09-30T22:00Z', until: '2026-10-31T23:00Z', total: 44_700 },
    { timezone: 'Europe/Warsaw', from: '2016-01-01T00:00Z', until: '2026-01-01T00:00Z', total: 5_260_320 },
  ])('counts $total minutes in $timezone from $from until $until', ({ timezone, from, until, total }) => {
    const options = { cron: cron('* * * * *'), timezone, after: new Date(from), until: new Date(until) };
    const { newest, earlier } = occurrencesBetween({ ...options, newest: 1 });
    expect(newest).toEqual([options.until]);
    expect(earlier).toEqual({
      count: total - 1,
      first: new Date(options.after.getTime() + minuteMs),
      last: new Date(options.until.getTime() - minuteMs),
    });
  });

  it('goes by the day, not by the occurrence: a thousand years of minutes', () => {
    const options = { cron: cron('* * * * *'), timezone: 'Europe/Warsaw', newest: 1 };
    const [after, until] = [new Date('2026-01-01T00:00Z'), new Date('3026-01-01T00:00Z')];
    const { earlier } = occurrencesBetween({ ...options, after, until });
    expect(earlier?.count).toBe((until.getTime() - after.getTime()) / minuteMs - 1);
  });

  it('is what nextOccurrence finds one by one', () => {
    const zone = fc.constantFrom(
      'UTC',
      'Europe/Warsaw',
      'America/Santiago',
      'Australia/Lord_Howe',
      'Asia/Kolkata',
    );
    const start = fc.oneof(
      fc.constantFrom('2026-03-28T20:00Z', '2026-10-24T20:00Z', '2026-09-05T23:00Z', '2026-10-03T11:00Z'),
      fc.date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }),
    );
    const limits = fc.record({ minutes: fc.integer({ min: 0, max: 3000 }), newest: fc.nat(40) });
    fc.assert(
      fc.property(nightlyTexts, zone, start, limits, (text, timezone, from, { minutes, newest }) => {
        const [expression, after] = [cron(text), new Date(from)];
        const until = new Date(after.getTime() + minutes * minuteMs);
        const all: Date[] = [];
        for (let last: Date | undefined = after; ; ) {
          last = nextOccurrence({ cron: expression, timezone, after: last });
          if (last === undefined || last > until) break;
          all.push(last);
        }
        const listed = newest === 0 ? [] : all.slice(-newest);
        const others = all.slice(0, all.length - listed.length);
        expect(occurrencesBetween({ cron: expression, timezone, after, until, newest })).toEqual({
          newest: listed,
          earlier:
            others.length === 0 ? undefined : { count: others.length, first: others[0], last: others.at(-1) },
        });
      }),
      { numRuns: 200 },
    );
  });
});
