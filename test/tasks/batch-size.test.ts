import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchSize } from '../../src/tasks/batch-size.ts';

describe('BatchSize', () => {
  it('claims no more than can start this instant while nothing is known', () => {
    expect(new BatchSize({ leaseMs: 60_000 }).next(4)).toBe(4);
  });

  it('grows step by step while tasks end quickly, up to a bound', () => {
    const size = new BatchSize({ leaseMs: 60_000 });
    const seen: number[] = [];
    for (let round = 0; round < 5; round++) {
      const count = size.next(4);
      seen.push(count);
      size.learn(count, count * 0.05);
    }
    expect(seen).toEqual([4, 32, 256, 500, 500]);
  });

  it('returns to the free slots when tasks take long', () => {
    const size = new BatchSize({ leaseMs: 60_000 });
    size.learn(100, 1);
    expect(size.next(1)).toBeGreaterThan(100);
    size.learn(100, 60_000);
    expect(size.next(4)).toBe(4);
  });

  it('lets another batch be claimed while no more than one waits, and only where batches are worth it', () => {
    const size = new BatchSize({ leaseMs: 60_000 });
    const concurrency = 4;
    expect(size.allowsAnother({ waiting: 1, concurrency })).toBe(false);
    size.learn(100, 1);
    expect(size.allowsAnother({ waiting: size.next(4), concurrency })).toBe(true);
    expect(size.allowsAnother({ waiting: size.next(4) + 1, concurrency })).toBe(false);
    size.learn(4, 250);
    expect(size.allowsAnother({ waiting: 1, concurrency })).toBe(false);
    size.learn(100, 1);
    size.forget();
    expect(size.allowsAnother({ waiting: 1, concurrency })).toBe(false);
  });

  it('never holds more, in two batches, than would end within a thirtieth of the lease, or half a second', () => {
    const timings = fc.record({
      leaseMs: fc.integer({ min: 2000, max: 3_600_000 }),
      count: fc.integer({ min: 1, max: 500 }),
      elapsedMs: fc.double({ min: 0, max: 100_000, noNaN: true }),
      freeSlots: fc.integer({ min: 1, max: 200 }),
    });
    fc.assert(
      fc.property(timings, ({ leaseMs, count, elapsedMs, freeSlots }) => {
        const size = new BatchSize({ leaseMs });
        size.learn(count, elapsedMs);
        const next = size.next(freeSlots);
        const neededMs = 2 * (next - freeSlots) * (elapsedMs / count);
        expect(next).toBeGreaterThanOrEqual(freeSlots);
        expect(neededMs).toBeLessThanOrEqual(Math.min(500, leaseMs / 30));
      }),
    );
  });
});
