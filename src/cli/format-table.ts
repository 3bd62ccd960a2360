import { stripVTControlCharacters } from 'node:util';
import { type Paint, plainPaint } from './colors.ts';

/** A column: its title, or its title and how it is aligned on a terminal. */
export type Column = string | { title: string; align: 'left' | 'right' };

export interface FormatTableOptions {
  columns: readonly Column[];
  rows: readonly (readonly string[])[];
  /** Width of the terminal; the last column is cut to fit. */
  width: number;
  paint?: Paint;
}

/** Lines of a table for a person: aligned, the header dimmed, the last column cut at the terminal's edge. */
export function formatAlignedTable({
  columns,
  rows,
  width,
  paint = plainPaint,
}: FormatTableOptions): string[] {
  const titles = columns.map(titleOf);
  const cells = [titles, ...rows.map((row) => titles.map((_, index) => oneLine(row[index] ?? '')))];
  const widths = titles.map((_, index) => Math.max(...cells.map((row) => lengthOf(row[index] ?? ''))));
  return cells.map((row, line) => {
    const padded = row.map((cell, index) => pad(cell, widths[index] ?? 0, columns[index]));
    const text = cut(padded.join('  ').trimEnd(), width);
    return line === 0 ? paint('dim', text) : text;
  });
}

/** Lines of the same table for a program: one tab between cells, nothing cut, no colour. */
export function formatTabbedTable({ columns, rows }: Pick<FormatTableOptions, 'columns' | 'rows'>): string[] {
  const titles = columns.map(titleOf);
  return [titles, ...rows].map((row) => titles.map((_, index) => oneLine(row[index] ?? '')).join('\t'));
}

/**
 * One line without control characters: a value from the database must neither break the table nor drive the
 * terminal it is shown on.
 */
export function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is removed
  return stripVTControlCharacters(text).replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}

function titleOf(column: Column): string {
  return (typeof column === 'string' ? column : column.title).toUpperCase();
}

function pad(cell: string, width: number, column: Column | undefined): string {
  const fill = ' '.repeat(Math.max(0, width - lengthOf(cell)));
  return typeof column === 'object' && column.align === 'right' ? fill + cell : cell + fill;
}

function cut(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, Math.max(1, width - 1)).join('')}…`;
}

function lengthOf(text: string): number {
  return [...text].length;
}
