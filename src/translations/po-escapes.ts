import type { ByteText } from './byte-text.ts';

export interface EscapeResult {
  /** The byte the escape stands for. */
  text: ByteText;
  /** Offset behind the escape. */
  end: number;
  problem?: string;
}

const simple: Readonly<Record<string, ByteText>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  '\\': '\\',
  '"': '"',
};
const octal = /[0-7]{1,3}/y;
const hexadecimal = /x[0-9A-Fa-f]+/y;

/** Reads the C escape whose backslash is at `at`: one of `\n \t \r \b \f \v \a \\ \"`, `\ooo`, `\xhh`. */
export function readEscape(source: ByteText, at: number): EscapeResult {
  const letter = source[at + 1] ?? '';
  const known = simple[letter];
  if (known !== undefined) return { text: known, end: at + 2 };
  octal.lastIndex = hexadecimal.lastIndex = at + 1;
  const digits = octal.exec(source)?.[0] ?? hexadecimal.exec(source)?.[0];
  if (digits === undefined) return unknownEscape(letter, at);
  const value = digits.startsWith('x') ? Number.parseInt(digits.slice(1), 16) : Number.parseInt(digits, 8);
  const end = at + 1 + digits.length;
  if (value <= 0xff) return { text: String.fromCharCode(value), end };
  return {
    text: '',
    end,
    problem: `the escape "\\${digits.slice(0, 20)}" is more than one byte: write the character itself`,
  };
}

function unknownEscape(letter: string, at: number): EscapeResult {
  const isPrintable = letter > ' ' && letter < '\x7f';
  const shown = isPrintable ? `"\\${letter}"` : 'a backslash with nothing known behind it';
  return { text: '', end: at + 1, problem: `invalid escape: ${shown} (for a backslash write "\\\\")` };
}
