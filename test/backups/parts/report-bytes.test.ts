import { expect, test, vi } from 'vitest';
import { describeBytes, reportBytes } from '../../../src/backups/parts/report-bytes.ts';

test.each([
  { bytes: 0, expected: 0, text: /\(100 %\)$/ },
  { bytes: 300, expected: 1000, text: /\(30 %\)$/ },
  { bytes: 1000, expected: 1000, text: /\(100 %\)$/ },
  { bytes: 1001, expected: 1000, text: /^[^(]+$/ },
])('$bytes bytes of $expected are told as they are', ({ bytes, expected, text }) => {
  expect(describeBytes(bytes, expected)).toMatch(text);
});

test('it tells once a second while there is something new, and no more afterwards', () => {
  vi.useFakeTimers();
  try {
    const meter = { bytes: 0 };
    const told: string[] = [];
    {
      using _telling = reportBytes(meter, { report: (detail) => told.push(detail), expectedBytes: 10 });
      vi.advanceTimersByTime(3000);
      meter.bytes = 5;
      vi.advanceTimersByTime(3000);
    }
    meter.bytes = 9;
    vi.advanceTimersByTime(3000);
    expect(told).toEqual([expect.stringContaining('50 %')]);
  } finally {
    vi.useRealTimers();
  }
});
