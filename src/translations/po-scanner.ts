import { Buffer } from 'node:buffer';
import { type ByteText, decodeByteText } from './byte-text.ts';
import { type EscapeResult, readEscape } from './po-escapes.ts';

export type TokenKind =
  | 'end'
  | 'comment'
  | 'domain'
  | 'msgctxt'
  | 'msgid'
  | 'msgid_plural'
  | 'msgstr'
  | 'string'
  | 'number'
  | '['
  | ']'
  /** Something no .po file has; a word that is no keyword has been reported by the scanner already. */
  | 'junk'
  | 'word';

export interface ScannerOptions {
  source: ByteText;
  /** The same, where it is at hand. */
  bytes?: Uint8Array | undefined;
  /** `isDroppable` is true for what is wrong inside one string only. */
  report: (offset: number, text: string, isDroppable: boolean) => void;
  /** Says what is wrong with the bytes of a string, or undefined. Not called where all bytes are known to be good. */
  checkString?: (value: ByteText, hasByteEscape: boolean) => string | undefined;
}

const newline = 10;
const space = 32;
const quote = 34;
const hash = 35;
const backslash = 92;
const pipe = 124;
const tilde = 126;

/**
 * Cuts the bytes of a .po file into tokens, as the lexer of GNU gettext does. The current token is in the fields, so
 * that a catalog of a hundred megabytes makes no object a token.
 */
export class PoScanner {
  readonly source: ByteText;
  kind: TokenKind = 'end';
  /** Of a string: its bytes, escapes resolved. Of a comment: the flags, or '' for other comments. */
  value: ByteText = '';
  /** Offset of the token's first byte. */
  start = 0;
  /** The token stands on a line that begins with `#~`. */
  isObsolete = false;
  /** The token stands on a line that begins with `#|`. */
  isPrevious = false;
  /** While looking for the next entry after an error, words that are no keywords are nothing new. */
  isRecovering = false;

  /** `source` again: what looks at each character does so faster in an array. */
  readonly #bytes: Uint8Array;
  readonly #report: ScannerOptions['report'];
  readonly #checkString: ScannerOptions['checkString'];
  #at = 0;

  constructor(options: ScannerOptions) {
    this.source = options.source;
    this.#bytes = options.bytes ?? Buffer.from(options.source, 'latin1');
    this.#report = options.report;
    this.#checkString = options.checkString;
  }

  /** Goes on to the next token. */
  advance(): void {
    const bytes = this.#bytes;
    if (this.kind === 'comment') this.isObsolete = false;
    for (;;) {
      const code = bytes[this.#at];
      this.start = this.#at;
      if (code === newline) {
        this.isObsolete = false;
        this.isPrevious = false;
      } else if (code === quote) {
        return this.#scanString();
      } else if (code === hash) {
        if (this.#scanHash()) return;
        continue;
      } else if (code === undefined) {
        this.kind = 'end';
        return;
      } else if (!isBlank(code)) {
        return this.#scanOther(code);
      }
      this.#at += 1;
    }
  }

  /** After `#`: a prefix of an entry (returns false, the entry's tokens follow) or a comment (returns true). */
  #scanHash(): boolean {
    const { source } = this;
    const second = this.#bytes[this.#at + 1];
    if (second === tilde) {
      this.isObsolete = true;
      const isPrevious = this.#bytes[this.#at + 2] === pipe;
      if (isPrevious) this.isPrevious = true;
      this.#at += isPrevious ? 3 : 2;
      return false;
    }
    if (second === pipe) {
      this.isPrevious = true;
      this.#at += 2;
      return false;
    }
    const lineEnd = source.indexOf('\n', this.#at);
    const end = lineEnd === -1 ? source.length : lineEnd;
    const hasFlags = second === 44 || second === 33 || second === 61; // , ! =
    this.kind = 'comment';
    this.value = hasFlags ? source.slice(this.#at + 1, end) : '';
    this.#at = end;
    return true;
  }

  #scanString(): void {
    const { source } = this;
    const bytes = this.#bytes;
    let from = this.#at + 1;
    let at = from;
    let text = '';
    let hasByteEscape = false;
    let hasControl = false;
    for (;;) {
      let code = bytes[at] ?? newline;
      while (code !== quote && code !== backslash && code >= space) code = bytes[++at] ?? newline;
      if (code === quote) break;
      if (code === backslash) {
        const escape = this.#scanEscape(at);
        text += source.slice(from, at) + escape.text;
        hasByteEscape ||= escape.text > '\x7f';
        hasControl ||= escape.text < ' ';
        at = from = escape.end;
      } else if (code === newline) {
        const where = at < bytes.length ? 'line' : 'file';
        this.#report(at, `the string is not closed: the ${where} ends before the closing quote`, false);
        break;
      } else {
        hasControl = true;
        at += 1;
      }
    }
    this.kind = 'string';
    this.value = text === '' ? source.slice(from, at) : text + source.slice(from, at);
    this.#at = bytes[at] === quote ? at + 1 : at;
    const problem =
      this.#checkString?.(this.value, hasByteEscape) ?? (hasControl ? forbiddenByte(this.value) : undefined);
    if (problem !== undefined) this.#report(this.start, problem, true);
  }

  #scanEscape(at: number): EscapeResult {
    const escape = readEscape(this.source, at);
    if (escape.problem !== undefined) this.#report(at, escape.problem, true);
    return escape;
  }

  #scanOther(code: number): void {
    const bytes = this.#bytes;
    this.#at += 1;
    if (isWordStart(code)) {
      while (isWordPart(bytes[this.#at])) this.#at += 1;
      return this.#setWord(this.#at - this.start);
    }
    if (isDigit(code)) {
      while (isDigit(bytes[this.#at])) this.#at += 1;
      this.kind = 'number';
      this.value = this.source.slice(this.start, this.#at);
      return;
    }
    this.kind = code === 91 ? '[' : code === 93 ? ']' : 'junk';
    this.value = '';
  }

  #setWord(length: number): void {
    const { source, start } = this;
    const keyword = keywordAt(source, start, length);
    const isAllowed = !this.isPrevious || (keyword !== 'domain' && keyword !== 'msgstr');
    this.kind = isAllowed ? keyword : 'word';
    if (this.kind !== 'word' || this.isRecovering) return;
    const word = decodeByteText(source.slice(start, start + length));
    this.#report(start, `"${word.slice(0, 60)}" is not a keyword of a .po file`, false);
  }
}

/** The keyword that the word is, or `word`; without cutting out each word to look at it. */
function keywordAt(source: ByteText, start: number, length: number): TokenKind {
  if (length === 5 && source.startsWith('msgid', start)) return 'msgid';
  if (length === 6 && source.startsWith('msgstr', start)) return 'msgstr';
  if (length === 7 && source.startsWith('msgctxt', start)) return 'msgctxt';
  if (length === 12 && source.startsWith('msgid_plural', start)) return 'msgid_plural';
  return length === 6 && source.startsWith('domain', start) ? 'domain' : 'word';
}

function forbiddenByte(value: ByteText): string | undefined {
  if (value.includes('\x04'))
    return 'the string holds the character EOT (\\x04), which separates contexts in .mo files';
  if (value.includes('\0'))
    return 'the string holds a NUL character: programs would see the text cut off there';
  return undefined;
}

function isBlank(code: number): boolean {
  return code === space || (code >= 9 && code <= 13);
}

function isDigit(code: number | undefined): boolean {
  return code !== undefined && code >= 48 && code <= 57;
}

function isWordStart(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code === 36;
}

function isWordPart(code: number | undefined): boolean {
  return code !== undefined && (isWordStart(code) || isDigit(code));
}
