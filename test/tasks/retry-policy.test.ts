import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retryDelayMs } from '../../src/tasks/retry-policy.ts';

const base = { baseMs: 15_000, capMs: 3_600_000 };

describe('retryDelayMs', () => {
  it.each([
    // attempt, least, middle, most
    [1, 12_000, 15_000, 18_000],
    [2, 24_000, 30_000, 36_000],
    [3, 48_000, 60_000, 72_000],
    [4, 96_000, 120_000, 144_000],
    [5, 192_000, 240_000, 288_000],
    [8, 1_536_000, 1_920_000, 2_304_000],
    [9, 2_400_000, 3_000_000, 3_600_000],
    [10, 2_400_000, 3_000_000, 3_600_000],
    [100, 2_400_000, 3_000_000, 3_600_000],
    [32_767, 2_400_000, 3_000_000, 3_600_000],
  ])('after attempt %d: from %d over %d to %d ms', (attempt, least, middle, most) => {
    expect(retryDelayMs({ ...base, attempt, random: 0 })).toBe(least);
    expect(retryDelayMs({ ...base, attempt, random: 0.5 })).toBe(middle);
    expect(retryDelayMs({ ...base, attempt, random: 1 - Number.EPSILON })).toBe(most);
  });

  it('never exceeds the cap, is never negative, and never shrinks from one attempt to the next', () => {
    const options = fc.record({
      attempt: fc.integer({ min: 1, max: 40_000 }),
      baseMs: fc.integer({ min: 0, max: 86_400_000 }),
      capMs: fc.integer({ min: 0, max: 2_592_000_000 }),
      random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    });
    fc.assert(
      fc.property(options, (given) => {
        const delay = retryDelayMs(given);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(given.capMs);
        expect(retryDelayMs({ ...given, attempt: given.attempt + 1 })).toBeGreaterThanOrEqual(delay);
      }),
    );
  });

  it('spreads tasks that failed together, also at the cap', () => {
    const delays = Array.from({ length: 100 }, (_, index) =>
      retryDelayMs({ ...base, attempt: 50, random: index / 100 }),
    );
    expect(new Set(delays).size).toBe(100);
  });
});
