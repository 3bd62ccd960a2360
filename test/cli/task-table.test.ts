import { expect, it } from 'vitest';
import { formatTime } from '../../src/cli/task-table.ts';

it('a time is shown in UTC, to the second', () => {
  expect(formatTime(new Date('2026-11-22T02:30:00.123Z'))).toBe('2026-11-22 02:30:00Z');
  expect(formatTime(null)).toBe('');
});

it.each([
  [Number.POSITIVE_INFINITY, 'Infinity'],
  [Number.NEGATIVE_INFINITY, '-Infinity'],
])('a time that no Date can hold, %s, is shown and does not break the table', (time, shown) => {
  // node-postgres gives PostgreSQL's infinite times as numbers, whatever the row type says.
  expect(formatTime(time as unknown as Date)).toBe(shown);
});
