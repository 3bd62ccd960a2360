import { expect, it } from 'vitest';
import type { Output } from '../../src/cli/output.ts';
import { formatTime, printTasks } from '../../src/cli/task-table.ts';
import type { TaskSummary } from '../../src/tasks/task-row.ts';

it('what a held task is held for is said once, though its last error says the same', () => {
  const rows: string[][] = [];
  const output = { table: (_head: string[], given: string[][]) => void rows.push(...given) };
  const task = { id: 1, state: 'held', reason: 'the application is not well', lastError: 'lost' };
  const tasks = [task, { ...task, lastError: 'the application is not well' }, { ...task, lastError: null }];
  // Only the parts that the note is made of.
  printTasks(tasks as unknown as TaskSummary[], output as unknown as Output);
  expect(rows.map((row) => row.at(-1))).toEqual([
    'the application is not well: lost',
    'the application is not well',
    'the application is not well',
  ]);
});

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
