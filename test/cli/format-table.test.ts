import { describe, expect, it } from 'vitest';
import { formatAlignedTable, formatTabbedTable } from '../../src/cli/format-table.ts';

const columns = [{ title: 'id', align: 'right' }, 'kind', 'error'] as const;
const rows = [
  ['7', 'backup', ''],
  ['4711', 'send-mail', 'the server said no and explained it at length'],
];

describe('a table', () => {
  it('is aligned on a terminal, and cut at its edge', () => {
    expect(formatAlignedTable({ columns, rows, width: 40 })).toEqual([
      '  ID  KIND       ERROR',
      '   7  backup',
      '4711  send-mail  the server said no and…',
    ]);
  });

  it('has one tab between cells and nothing cut when piped', () => {
    expect(formatTabbedTable({ columns, rows })).toEqual([
      'ID\tKIND\tERROR',
      '7\tbackup\t',
      '4711\tsend-mail\tthe server said no and explained it at length',
    ]);
  });

  it.each([
    { what: 'a tab', cell: 'a\tb' },
    { what: 'a line end', cell: 'a\r\nb' },
    { what: 'a colour', cell: '\u001b[31ma\u001b[0m b' },
    { what: 'a terminal command', cell: 'a\u001b]0;title\u0007 b' },
    { what: 'a C1 control', cell: 'a\u009b b'.replace(' ', '') },
  ])('never passes $what of a value on', ({ cell }) => {
    const [, line = ''] = formatTabbedTable({ columns: ['x', 'y'], rows: [[cell, 'z']] });
    expect(line.split('\t')).toHaveLength(2);
    expect(line).toMatch(/^[\u0020-\u007e]*\t[\u0020-\u007e]*$/);
  });

  it('fills a short row', () => {
    expect(formatTabbedTable({ columns: ['x', 'y'], rows: [['1']] })).toEqual(['X\tY', '1\t']);
  });
});
