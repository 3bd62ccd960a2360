import { Cron } from 'croner';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextOccurrence } from '../../src/schedules/next-occurrence.ts';
import { commonTexts } from './support/cron-texts.ts';
import { cron } from './support/schedule.ts';

function following(
  text: string,
  timezone: string,
  after: string | number,
  count: number,
): (string | undefined)[] {
  const expression = cron(text);
  const found: (string | undefined)[] = [];
  for (let last: Date | undefined = new Date(after); last !== undefined && found.length < count; ) {
    last = nextOccurrence({ cron: expression, timezone, after: last });
    found.push(last?.toISOString().replace(':00.000Z', 'Z'));
  }
  return found;
}

describe('nextOccurrence', () => {
  it.each([
    // both fields of days restricted: either
    ['0 0 13 * 5', '2026-01-01T00:00Z', ['2026-01-02T00:00Z', '2026-01-09T00:00Z', '2026-01-13T00:00Z']],
    // one begins with a star: both
    ['0 0 */2 * 1', '2026-01-01T00:00Z', ['2026-01-05T00:00Z', '2026-01-19T00:00Z', '2026-02-09T00:00Z']],
    ['0 0 13 * */5', '2026-01-01T00:00Z', ['2026-02-13T00:00Z', '2026-03-13T00:00Z', '2026-09-13T00:00Z']],
    ['0 0 31 2 1', '2026-02-01T00:00Z', ['2026-02-02T00:00Z', '2026-02-09T00:00Z', '2026-02-16T00:00Z']],
    ['0 0 29 2 *', '2026-01-01T00:00Z', ['2028-02-29T00:00Z', '2032-02-29T00:00Z', '2036-02-29T00:00Z']],
    ['0 0 29 2 *', '2096-03-01T00:00Z', ['2104-02-29T00:00Z', '2108-02-29T00:00Z']],
    ['0 0 29 2 */7', '2088-02-29T00:00Z', ['2128-02-29T00:00Z', '2156-02-29T00:00Z']],
    ['0 0 31 4,6,7 *', '2026-01-01T00:00Z', ['2026-07-31T00:00Z', '2027-07-31T00:00Z']],
    ['59 23 31 12 *', '2026-01-01T00:00Z', ['2026-12-31T23:59Z', '2027-12-31T23:59Z']],
    ['* * * * *', '2026-01-31T23:58:59.999Z', ['2026-01-31T23:59Z', '2026-02-01T00:00Z']],
    [
      '7-59/20 0-23/12 * * *',
      '1969-12-31T00:00Z',
      ['1969-12-31T00:07Z', '1969-12-31T00:27Z', '1969-12-31T00:47Z'],
    ],
  ])('%s after %s in UTC', (text, after, expected) => {
    expect(following(text, 'UTC', after, expected.length)).toEqual(expected);
  });

  it('is strictly after: not the occurrence that is given, to the millisecond', () => {
    const at = Date.UTC(2026, 4, 5, 2, 30);
    expect(following('30 2 * * *', 'UTC', at, 1)).toEqual(['2026-05-06T02:30Z']);
    expect(following('30 2 * * *', 'UTC', at - 1, 1)).toEqual(['2026-05-05T02:30Z']);
    expect(following('30 2 * * *', 'UTC', at + 1, 1)).toEqual(['2026-05-06T02:30Z']);
  });

  it('remembers in a repeated hour what ran the first time, also where a week of its calculation begins', () => {
    // 03:00 +03:00 → 02:00 +02:00 on a Thursday, 00:00 UTC
    expect(following('30 2 * * *', 'Africa/Cairo', '1992-09-30T12:00Z', 2)).toEqual([
      '1992-09-30T23:30Z',
      '1992-10-02T00:30Z',
    ]);
    expect(following('30 2 * * *', 'Africa/Cairo', '1992-10-01T00:10Z', 1)).toEqual(['1992-10-02T00:30Z']);
  });

  it('is undefined for a schedule that is only ever due in a gap', () => {
    // the last Sunday of March, when a 29th, has no hour from 2 to 3 in Warsaw; a frequent schedule is not made up for
    expect(following('*/5 2 29 3 */7', 'Europe/Warsaw', '2026-01-01T00:00Z', 2)).toEqual([undefined]);
    expect(following('5 2 29 3 */7', 'Europe/Warsaw', '2026-01-01T00:00Z', 1)).toEqual(['2026-03-29T01:00Z']);
  });

  it('finds what croner finds in UTC', () => {
    fc.assert(
      fc.property(
        commonTexts,
        fc.date({ min: new Date('2000-01-01'), max: new Date('2060-01-01') }),
        (text, from) => {
          fc.pre(!Number.isNaN(from.getTime()));
          let parsed: ReturnType<typeof cron>;
          try {
            parsed = cron(text);
          } catch {
            expect(new Cron(text, { timezone: 'UTC' }).nextRun(from)).toBeNull();
            return;
          }
          let after = from;
          for (const expected of new Cron(text, { timezone: 'UTC' }).nextRuns(5, from)) {
            const found = nextOccurrence({ cron: parsed, timezone: 'UTC', after });
            expect(found).toEqual(expected);
            after = expected;
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
