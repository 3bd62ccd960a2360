import { describe, expect, it } from 'vitest';
import { zoneOffset } from '../../src/schedules/zone-offset.ts';
import { type ZoneSpan, zoneSpans } from '../../src/schedules/zone-spans.ts';

const dayMs = 86_400_000;

function changes(timezone: string, year: number): { at: string; from: number; to: number }[] {
  const found: { at: string; from: number; to: number }[] = [];
  let previous: ZoneSpan | undefined;
  for (const span of zoneSpans(timezone, Date.UTC(year, 0))) {
    if (span.start >= Date.UTC(year + 1, 0)) return found;
    if (previous !== undefined && previous.offset !== span.offset) {
      const at = new Date(span.start).toISOString();
      found.push({ at, from: previous.offset / 60_000, to: span.offset / 60_000 });
    }
    previous = span;
  }
  return found;
}

describe('zoneSpans', () => {
  it.each([
    { zone: 'UTC', year: 2026, expected: [] },
    {
      zone: 'Europe/Warsaw',
      year: 2026,
      expected: [
        ['2026-03-29T01:00:00.000Z', 60, 120],
        ['2026-10-25T01:00:00.000Z', 120, 60],
      ],
    },
    {
      zone: 'America/New_York',
      year: 2026,
      expected: [
        ['2026-03-08T07:00:00.000Z', -300, -240],
        ['2026-11-01T06:00:00.000Z', -240, -300],
      ],
    },
    {
      zone: 'Australia/Lord_Howe',
      year: 2026,
      expected: [
        ['2026-04-04T15:00:00.000Z', 660, 630],
        ['2026-10-03T15:30:00.000Z', 630, 660],
      ],
    },
    {
      zone: 'Pacific/Apia',
      year: 2011,
      expected: [['2011-12-30T10:00:00.000Z', -600, 840]].slice(-1),
      last: 1,
    },
    { zone: 'Asia/Kathmandu', year: 1985, expected: [['1985-12-31T18:30:00.000Z', 330, 345]] },
    { zone: 'Africa/Monrovia', year: 1972, expected: [['1972-01-07T00:44:30.000Z', -44.5, 0]] },
  ])('finds the changes of $zone in $year to the second', ({ zone, year, expected, last = 9 }) => {
    expect(changes(zone, year).slice(-last)).toEqual(expected.map(([at, from, to]) => ({ at, from, to })));
  });

  it.each([2026, 2028])('misses no change of any zone in %i', (year) => {
    const missed: string[] = [];
    for (const zone of Intl.supportedValuesOf('timeZone')) {
      for (const span of zoneSpans(zone, Date.UTC(year, 0))) {
        if (span.start >= Date.UTC(year + 1, 0)) break;
        const instants = Array.from({ length: 7 }, (_, day) =>
          Math.min(span.start + day * dayMs, span.end - 1),
        );
        if (instants.some((at) => zoneOffset(zone, at) !== span.offset)) missed.push(`${zone} ${span.start}`);
      }
    }
    expect(missed).toEqual([]);
  });

  it('yields spans that follow on each other, from before the asked instant on', () => {
    const from = Date.UTC(2026, 9, 24, 12, 34);
    let end: number | undefined;
    for (const span of zoneSpans('Europe/Warsaw', from)) {
      if (end === undefined) expect(span.start).toBeLessThanOrEqual(from);
      else expect(span.start).toBe(end);
      expect(span.end).toBeGreaterThan(span.start);
      end = span.end;
      if (end > Date.UTC(2027, 0)) break;
    }
  });
});
