import type { ByteText } from './byte-text.ts';
import { addFlags, noFlags } from './po-flags.ts';
import { contextSeparator, type PoMessage } from './po-message.ts';
import { PoScanner, type ScannerOptions, type TokenKind } from './po-scanner.ts';

type Keyword = 'msgctxt' | 'msgid' | 'msgid_plural' | 'msgstr';

/**
 * Reads the entries of a .po file one after the other, by the grammar of GNU gettext. An entry that breaks the
 * grammar is reported and left out, and reading goes on with the next one: all faults of a catalog come out at once.
 */
export class PoReader {
  readonly #scanner: PoScanner;
  readonly #report: ScannerOptions['report'];
  #isObsolete = false;
  /** While the old texts of an entry (`#| …`) are read, only tokens of such lines belong to it. */
  #isInPrevious = false;
  #hasReportedObsolete = false;

  constructor(options: ScannerOptions) {
    this.#report = options.report;
    this.#scanner = new PoScanner(options);
    this.#scanner.advance();
  }

  /** The next entry, or undefined at the end of the file. */
  next(): PoMessage | undefined {
    const scanner = this.#scanner;
    let flags = noFlags;
    for (;;) {
      switch (scanner.kind) {
        case 'end':
          return undefined;
        case 'comment':
          if (scanner.value !== '') flags = addFlags(flags, scanner.value);
          scanner.advance();
          break;
        case 'msgctxt':
        case 'msgid': {
          const entry = this.#readEntry();
          if (entry !== undefined) {
            entry.isFuzzy = flags.isFuzzy;
            entry.formats = flags.formats;
            entry.range = flags.range;
            return entry;
          }
          flags = noFlags;
          this.#recover();
          break;
        }
        default:
          this.#reportUnexpected();
          scanner.isRecovering = true;
          scanner.advance();
          this.#recover();
      }
    }
  }

  /** `#| msgid …` lines, `msgctxt`, `msgid`, `msgid_plural` and the translations. Undefined after a syntax error. */
  #readEntry(): PoMessage | undefined {
    const scanner = this.#scanner;
    this.#isObsolete = scanner.isObsolete;
    this.#hasReportedObsolete = false;
    if (scanner.isPrevious && !this.#skipPreviousIds()) return undefined;
    const context = this.#isAt('msgctxt') ? this.#readText('msgctxt') : undefined;
    if (context === null) return undefined;
    const idAt = scanner.start;
    const id = this.#readText('msgid');
    if (id === null) return undefined;
    const plural = this.#isAt('msgid_plural') ? this.#readText('msgid_plural') : undefined;
    if (plural === null) return undefined;
    const translationAt = scanner.start;
    const translations = this.#readTranslations(plural !== undefined);
    if (translations === undefined) return undefined;
    const isObsolete = this.#isObsolete;
    const { isFuzzy, formats, range } = noFlags;
    const key = context === undefined ? id : context + contextSeparator + id;
    return {
      isFuzzy,
      formats,
      range,
      context,
      id,
      plural,
      translations,
      key,
      isObsolete,
      idAt,
      translationAt,
    };
  }

  /** The old texts of a fuzzy entry: they must be well formed, and nothing else is done with them. */
  #skipPreviousIds(): boolean {
    this.#isInPrevious = true;
    const isGood =
      (!this.#isAt('msgctxt') || this.#readText('msgctxt') !== null) &&
      this.#readText('msgid') !== null &&
      (!this.#isAt('msgid_plural') || this.#readText('msgid_plural') !== null);
    this.#isInPrevious = false;
    return isGood;
  }

  #readTranslations(hasPlural: boolean): readonly ByteText[] | undefined {
    if (!hasPlural) {
      const text = this.#readText('msgstr');
      return text === null ? undefined : [text];
    }
    const forms: ByteText[] = [];
    do {
      const form = this.#readPluralForm(forms.length);
      if (form === null) return undefined;
      forms.push(form);
    } while (this.#isAt('msgstr'));
    return forms;
  }

  #readPluralForm(expectedIndex: number): ByteText | null {
    const { start } = this.#scanner;
    if (
      !this.#take('msgstr', `msgstr[${expectedIndex}]`) ||
      !this.#take('[', '"[" and the number of the plural form')
    )
      return null;
    const index = Number(this.#scanner.value);
    if (!this.#take('number', 'the number of the plural form') || !this.#take(']', '"]"')) return null;
    if (index !== expectedIndex) {
      this.#report(start, `plural form ${index} stands where form ${expectedIndex} belongs`, false);
    }
    return this.#readStrings(`msgstr[${index}]`);
  }

  #readText(keyword: Keyword): ByteText | null {
    return this.#take(keyword, keyword) ? this.#readStrings(keyword) : null;
  }

  /** One string or several, which are joined; null when there is none. */
  #readStrings(owner: string): ByteText | null {
    const scanner = this.#scanner;
    if (!this.#isAt('string')) return this.#fail(`a string must follow ${owner}`);
    let text: ByteText = '';
    while (this.#isAt('string')) {
      this.#checkObsolete();
      text += scanner.value;
      scanner.advance();
    }
    return text;
  }

  #take(kind: TokenKind, expected: string): boolean {
    if (!this.#isAt(kind)) {
      this.#fail(`${expected} is missing`);
      return false;
    }
    this.#checkObsolete();
    this.#scanner.advance();
    return true;
  }

  #isAt(kind: TokenKind): boolean {
    return this.#scanner.kind === kind && this.#scanner.isPrevious === this.#isInPrevious;
  }

  #checkObsolete(): void {
    const { isObsolete, start } = this.#scanner;
    if (isObsolete === this.#isObsolete || this.#hasReportedObsolete) return;
    this.#hasReportedObsolete = true;
    this.#report(
      start,
      'one part of this entry is obsolete and another is not: begin all its lines with "#~", or none',
      false,
    );
  }

  #fail(text: string): null {
    const { kind, start } = this.#scanner;
    if (kind === 'comment') this.#report(start, `a comment cannot stand inside an entry: ${text}`, false);
    else if (kind !== 'word')
      this.#report(start, kind === 'end' ? `${text}: the file ends here` : text, false);
    return null;
  }

  #reportUnexpected(): void {
    const { kind, start } = this.#scanner;
    if (kind === 'word') return;
    const what: Partial<Record<TokenKind, string>> = {
      domain: 'a "domain" line: move the messages of each domain to a file of its own',
      string: 'a string that belongs to no entry',
      msgstr: 'a msgstr that belongs to no entry',
      msgid_plural: 'a msgid_plural that belongs to no entry',
    };
    const isConflict = /^(?:<{7}|={7}|>{7})/.test(this.#scanner.source.slice(start, start + 7));
    const other = isConflict ? 'a merge conflict: resolve it' : 'something that no .po file holds';
    this.#report(start, `syntax error: ${what[kind] ?? other}`, false);
  }

  #recover(): void {
    const scanner = this.#scanner;
    scanner.isRecovering = true;
    while (!['end', 'comment', 'msgctxt', 'msgid'].includes(scanner.kind)) scanner.advance();
    scanner.isRecovering = false;
  }
}
