import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { StatementBatcher } from '../../src/database/statement-batcher.ts';

/** Doubles numbers, odd ones urgently, and remembers what came together. */
function doubler(urgentTogether: number) {
  const batches: number[][] = [];
  const batcher = new StatementBatcher<number, number>({
    maxBatch: 50,
    isUrgent: (item) => item % 2 === 1,
    urgentTogether,
    execute: async (items) => {
      batches.push([...items]);
      await nextTurn();
      return items.map((item) => item * 2);
    },
  });
  return { batches, run: (item: number) => batcher.run(item) };
}

describe('statements for many', () => {
  it('take what waits along with the urgent ones that have come together', async () => {
    const { batches, run } = doubler(3);
    expect(await Promise.all([run(2), run(1), run(4), run(3), run(5)])).toEqual([4, 2, 8, 6, 10]);
    expect(batches).toEqual([[2, 1, 4, 3, 5]]);
  });

  it('do not wait for urgent ones that never come', async () => {
    const { batches, run } = doubler(20);
    expect(await run(1)).toBe(2);
    expect(await Promise.all([run(2), run(3)])).toEqual([4, 6]);
    expect(await run(4)).toBe(8);
    expect(batches).toEqual([[1], [2, 3], [4]]);
  });

  it('take in the next one what comes while one is under way', async () => {
    const { batches, run } = doubler(1);
    const first = run(1);
    await nextTurn();
    expect(await Promise.all([first, run(3), run(5)])).toEqual([2, 6, 10]);
    expect(batches).toEqual([[1], [3, 5]]);
  });
});
