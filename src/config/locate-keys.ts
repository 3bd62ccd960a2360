/**
 * Finds the line of every key of a TOML document, so that an error can name it: smol-toml gives values without
 * places. The document must be valid TOML: this is a scanner for text that has already been parsed.
 *
 * @returns dotted path → line number from 1; tables and keys inside inline tables included. Parts of a path are
 *   joined as `pathKey` does.
 */
export function locateKeys(source: string): Map<string, number> {
  const lines = new Map<string, number>();
  const scanner = new Scanner(source);
  let table: string[] = [];
  while (scanner.skipToStatement()) {
    const line = scanner.line;
    if (scanner.peek() === '[') {
      table = scanner.readHeader();
      note(lines, table, line);
    } else {
      readPair(scanner, table, lines);
    }
  }
  return lines;
}

/** One string for the path of a key. */
export function pathKey(path: readonly string[]): string {
  return path.join('.');
}

function note(lines: Map<string, number>, path: readonly string[], line: number): void {
  for (let length = 1; length <= path.length; length += 1) {
    const key = pathKey(path.slice(0, length));
    if (!lines.has(key)) lines.set(key, line);
  }
}

function readPair(scanner: Scanner, parent: readonly string[], lines: Map<string, number>): void {
  const line = scanner.line;
  const path = [...parent, ...scanner.readKey('=')];
  note(lines, path, line);
  scanner.skipBlank();
  if (scanner.peek() === '{') readInlineTable(scanner, path, lines);
  else scanner.skipValue();
}

function readInlineTable(scanner: Scanner, path: readonly string[], lines: Map<string, number>): void {
  scanner.advance(1);
  for (;;) {
    scanner.skipBlankLinesAndCommas();
    const next = scanner.peek();
    if (next === '}' || next === '') {
      scanner.advance(1);
      return;
    }
    readPair(scanner, path, lines);
  }
}

class Scanner {
  readonly #text: string;
  #at = 0;
  line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  peek(): string {
    return this.#text[this.#at] ?? '';
  }

  advance(count: number): void {
    for (let step = 0; step < count && this.#at < this.#text.length; step += 1) {
      if (this.#text[this.#at] === '\n') this.line += 1;
      this.#at += 1;
    }
  }

  /** Moves to the next header or key; false at the end. */
  skipToStatement(): boolean {
    this.#skipWhile(/[\s\ufeff]/);
    while (this.peek() === '#') {
      this.#skipWhile(/[^\n]/);
      this.#skipWhile(/\s/);
    }
    return this.peek() !== '';
  }

  skipBlank(): void {
    this.#skipWhile(/[ \t]/);
  }

  skipBlankLinesAndCommas(): void {
    this.#skipWhile(/[\s,]/);
    while (this.peek() === '#') {
      this.#skipWhile(/[^\n]/);
      this.#skipWhile(/[\s,]/);
    }
  }

  /** The path of `[a.b]` or `[[a.b]]`. */
  readHeader(): string[] {
    this.#skipWhile(/\[/);
    const path = this.readKey(']');
    this.#skipWhile(/\]/);
    return path;
  }

  /** A dotted key up to and past `end`; parts may be bare or quoted. */
  readKey(end: string): string[] {
    const parts: string[] = [];
    for (;;) {
      this.#skipWhile(/[ \t.]/);
      const next = this.peek();
      if (next === '' || next === '\n' || next === end) break;
      parts.push(next === '"' || next === "'" ? this.#readQuoted() : this.#readWhile(/[^\s.=\]"'#]/));
    }
    this.advance(1);
    return parts;
  }

  /** Past one value; a comma, a closing bracket or the end of the line outside of strings and brackets ends it. */
  skipValue(): void {
    for (let depth = 0; this.peek() !== ''; ) {
      const next = this.peek();
      if (next === '"' || next === "'") {
        this.#readQuoted();
        continue;
      }
      if (next === '#') {
        this.#skipWhile(/[^\n]/);
        continue;
      }
      if (depth === 0 && /[\n,\]}]/.test(next)) return;
      if (next === '[' || next === '{') depth += 1;
      if (next === ']' || next === '}') depth -= 1;
      this.advance(1);
    }
  }

  /** Past a string of any of the four kinds; its text with the commonest escapes read. */
  #readQuoted(): string {
    const quote = this.peek();
    const isLong = this.#text.startsWith(quote.repeat(3), this.#at);
    const fence = isLong ? quote.repeat(3) : quote;
    this.advance(fence.length);
    const start = this.#at;
    while (this.peek() !== '' && !this.#text.startsWith(fence, this.#at)) {
      this.advance(quote === '"' && this.peek() === '\\' ? 2 : 1);
    }
    const content = this.#text.slice(start, this.#at);
    this.advance(fence.length);
    if (isLong) while (this.peek() === quote) this.advance(1);
    return quote === '"' ? content.replace(/\\(["\\])/g, '$1') : content;
  }

  #readWhile(pattern: RegExp): string {
    const start = this.#at;
    this.#skipWhile(pattern);
    // a character no TOML key may hold: step over it rather than stand still
    if (this.#at === start) this.advance(1);
    return this.#text.slice(start, this.#at);
  }

  #skipWhile(pattern: RegExp): void {
    while (this.peek() !== '' && pattern.test(this.peek())) this.advance(1);
  }
}
