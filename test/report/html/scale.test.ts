import { expect, it } from 'vitest';
import { createScale } from '../../../src/report/html/scale.ts';

it.each([
  [0, 'count', ['0', '1']],
  [3, 'count', ['0', '1', '2', '3']],
  [1500, 'count', ['0', '500', '1\u202f000', '1\u202f500']],
  [1.34e9, 'bytes', ['0', '500 MB', '1.0 GB', '1.5 GB']],
  [3400, 'milliseconds', ['0', '1 s', '2 s', '3 s', '4 s']],
  [9 * 60_000, 'milliseconds', ['0', '5 m', '10 m']],
  [5 * 3_600_000, 'milliseconds', ['0', '2 h', '4 h', '6 h']],
] as const)('an axis up to %d %s has round ticks', (highest, unit, expected) => {
  const scale = createScale(highest, unit);
  expect(scale.ticks.map(scale.format)).toEqual(expected);
  expect(scale.highest).toBe(scale.ticks.at(-1));
  expect(scale.highest).toBeGreaterThanOrEqual(highest);
});

it('has an end also for what is larger than anything that was thought of', () => {
  const { ticks, highest } = createScale(1e300, 'milliseconds');
  expect(ticks.length).toBeLessThanOrEqual(6);
  expect(highest).toBeGreaterThanOrEqual(1e300);
});
