import { describe, expect, it } from 'vitest';
import { describeOccurrences } from '../../src/schedules/describe-occurrences.ts';
import { cron } from './support/schedule.ts';

function lines(text: string, timezone: string, after: string, count: number): string[] {
  return describeOccurrences({ cron: cron(text), timezone, after: new Date(after), count }).map(
    ({ at, local, offset, dst }) =>
      `${at.toISOString().slice(0, 16)}Z = ${local} ${offset}${dst === null ? '' : `: ${dst}`}`,
  );
}

describe('describeOccurrences', () => {
  it.each<[string, string, string, string[]]>([
    ['30 2 * * *', 'UTC', '2026-03-28T12:00Z', ['2026-03-29T02:30Z = 2026-03-29 02:30 +00:00']],
    [
      '30 2 * * *',
      'Europe/Warsaw',
      '2026-03-28T12:00Z',
      [
        '2026-03-29T01:00Z = 2026-03-29 03:00 +02:00: clocks go forward: 02:30 does not exist, runs at 03:00',
        '2026-03-30T00:30Z = 2026-03-30 02:30 +02:00',
      ],
    ],
    [
      '0,30 2,4 * * *',
      'Europe/Warsaw',
      '2026-03-28T12:00Z',
      [
        '2026-03-29T01:00Z = 2026-03-29 03:00 +02:00: clocks go forward: 02:00 and 02:30 do not exist, run once at 03:00',
        '2026-03-29T02:00Z = 2026-03-29 04:00 +02:00',
      ],
    ],
    [
      '0-59/5 2-3 * * *',
      'Europe/Warsaw',
      '2026-03-28T12:00Z',
      [
        '2026-03-29T01:00Z = 2026-03-29 03:00 +02:00: clocks go forward: 02:00 to 02:55 (12 times) do not exist, run once together with 03:00',
        '2026-03-29T01:05Z = 2026-03-29 03:05 +02:00',
      ],
    ],
    [
      '30 * * * *',
      'Europe/Warsaw',
      '2026-03-29T00:00Z',
      ['2026-03-29T00:30Z = 2026-03-29 01:30 +01:00', '2026-03-29T01:30Z = 2026-03-29 03:30 +02:00'],
    ],
    [
      '30 2 * * *',
      'Europe/Warsaw',
      '2026-10-24T12:00Z',
      [
        '2026-10-25T00:30Z = 2026-10-25 02:30 +02:00: clocks go back: first of two 02:30, the only run',
        '2026-10-26T01:30Z = 2026-10-26 02:30 +01:00',
      ],
    ],
    [
      '30 * * * *',
      'Europe/Warsaw',
      '2026-10-24T23:00Z',
      [
        '2026-10-24T23:30Z = 2026-10-25 01:30 +02:00',
        '2026-10-25T00:30Z = 2026-10-25 02:30 +02:00: clocks go back: first of two 02:30',
        '2026-10-25T01:30Z = 2026-10-25 02:30 +01:00: clocks go back: second 02:30',
        '2026-10-25T02:30Z = 2026-10-25 03:30 +01:00',
      ],
    ],
    [
      // the change is where a week of the calculation ends
      '30 * * * *',
      'Africa/Cairo',
      '1992-10-01T00:00Z',
      ['1992-10-01T00:30Z = 1992-10-01 02:30 +02:00: clocks go back: second 02:30'],
    ],
    [
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-03T00:00Z',
      ['2026-10-03T15:30Z = 2026-10-04 02:30 +11:00: clocks go forward: 02:15 does not exist, runs at 02:30'],
    ],
    [
      '@daily',
      'America/Santiago',
      '2026-09-05T12:00Z',
      ['2026-09-06T04:00Z = 2026-09-06 01:00 -03:00: clocks go forward: 00:00 does not exist, runs at 01:00'],
    ],
    [
      '0 12 * * *',
      'Pacific/Apia',
      '2011-12-29T12:00Z',
      ['2011-12-29T22:00Z = 2011-12-29 12:00 -10:00', '2011-12-30T22:00Z = 2011-12-31 12:00 +14:00'],
    ],
    [
      // a day that came twice, too large a change to be daylight saving: both days count
      '0 12 * * *',
      'Pacific/Kwajalein',
      '1969-09-29T12:00Z',
      [
        '1969-09-30T01:00Z = 1969-09-30 12:00 +11:00: clocks go back: first of two 12:00',
        '1969-10-01T00:00Z = 1969-09-30 12:00 -12:00: clocks go back: second 12:00',
      ],
    ],
    [
      '0 0 29 2 */7',
      'America/St_Johns',
      '2026-01-01T00:00Z',
      ['2032-02-29T03:30Z = 2032-02-29 00:00 -03:30', '2060-02-29T03:30Z = 2060-02-29 00:00 -03:30'],
    ],
  ])('%s in %s after %s', (text, timezone, after, expected) => {
    expect(lines(text, timezone, after, expected.length)).toEqual(expected);
  });

  it('is short where a schedule is never due', () => {
    expect(lines('*/5 2 29 3 */7', 'Europe/Warsaw', '2026-01-01T00:00Z', 3)).toEqual([]);
    expect(lines('* * * * *', 'UTC', '2026-01-01T00:00Z', 0)).toEqual([]);
  });
});
