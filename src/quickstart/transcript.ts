/** Styles a transcript uses; the names are those of node:util's styleText. */
type Style = 'bold' | 'dim' | 'green';

/** What the quickstart shows: a terminal session that could be typed again, headings as comments of the shell. */
export interface Transcript {
  heading(text: string): void;
  command(line: string): void;
  /** What a command printed; tab-separated tables are aligned, as on a terminal. */
  output(text: string): void;
  /** A line of our own. */
  note(text: string): void;
}

export interface CreateTranscriptOptions {
  print: (line: string) => void;
  paint: (style: Style, text: string) => string;
}

const maxColumns = 100;

export function createTranscript({ print, paint }: CreateTranscriptOptions): Transcript {
  let isFirst = true;
  return {
    heading(text) {
      if (!isFirst) print('');
      isFirst = false;
      print(paint('bold', `# ${text}`));
    },
    command: (line) => print(`${paint('green', '$')} ${paint('bold', line)}`),
    output(text) {
      for (const line of alignTables(text.trimEnd().split('\n'))) if (text !== '') print(cut(line));
    },
    note: (text) => print(paint('dim', text === '' ? '' : `# ${text}`)),
  };
}

/** A tab-separated table in columns, without those at its end that are empty; lines without a tab stay as they are. */
export function alignTables(lines: readonly string[]): string[] {
  const rows = lines.map((line) => line.split('\t'));
  const [, ...body] = rows.filter((row) => row.length > 1);
  const filled = 1 + Math.max(-1, ...body.map((row) => row.findLastIndex((cell) => cell !== '')));
  const shown = rows.map((row) => (row.length > 1 && body.length > 0 ? row.slice(0, filled) : row));
  const widths: number[] = [];
  for (const row of shown.filter(({ length }) => length > 1)) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, [...cell].length);
  }
  return shown.map((row) => {
    if (row.length === 1) return row[0] ?? '';
    const cells = row.map((cell, index) => cell + ' '.repeat((widths[index] ?? 0) - [...cell].length));
    return cells.join('  ').trimEnd();
  });
}

function cut(line: string): string {
  const characters = [...line.trimEnd()];
  return characters.length <= maxColumns
    ? characters.join('')
    : `${characters.slice(0, maxColumns - 1).join('')}…`;
}
