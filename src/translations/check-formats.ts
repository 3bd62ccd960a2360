import { compareArgumentMaps } from './argument-maps.ts';
import { decodeByteText } from './byte-text.ts';
import { parseCFormat } from './c-format.ts';
import { parseJavascriptFormat } from './javascript-format.ts';
import { compareOrderedArguments } from './ordered-arguments.ts';
import { parsePhpFormat } from './php-format.ts';
import type { PluralForms } from './plural-forms.ts';
import type { MessageFormat, PoMessage } from './po-message.ts';
import { comparePythonBraceFields, parsePythonBraceFormat } from './python-brace-format.ts';
import { comparePythonArguments, parsePythonFormat } from './python-format.ts';
import { compareRubyArguments } from './ruby-arguments.ts';
import { parseRubyFormat } from './ruby-format.ts';

/** How the placeholders of one format are read and compared. */
interface FormatRules<Parsed extends object> {
  name: string;
  /** The placeholders, or what is wrong with them as text. */
  parse: (text: string, isTranslation: boolean) => Parsed | string;
  /**
   * What is wrong with a translation's placeholders, or undefined. When it is not strict, the translation may leave
   * some out: a plural form used for one number only need not show it.
   */
  compare: (source: Parsed, translation: Parsed, isStrict: boolean) => string | undefined;
}

/** What such a function gives where nothing is wrong. */
type ReturnedBy<Parse extends (...args: never[]) => object | string> = Exclude<ReturnType<Parse>, string>;

/** Checks the placeholders of a message in each format that its flags name, by the rules of `msgfmt --check-format`. */
export function checkFormats(message: PoMessage, pluralForms: PluralForms | undefined): string[] {
  if (message.formats.length === 0 || message.id === '') return [];
  return message.formats.flatMap((format) => checkOne(message, pluralForms, format));
}

const c: FormatRules<ReturnedBy<typeof parseCFormat>> = {
  name: 'C',
  parse: parseCFormat,
  compare: compareOrderedArguments,
};
const python: FormatRules<ReturnedBy<typeof parsePythonFormat>> = {
  name: 'Python',
  parse: parsePythonFormat,
  compare: comparePythonArguments,
};
const pythonBrace: FormatRules<ReturnedBy<typeof parsePythonBraceFormat>> = {
  name: 'Python brace',
  parse: parsePythonBraceFormat,
  compare: comparePythonBraceFields,
};
const php: FormatRules<ReturnedBy<typeof parsePhpFormat>> = {
  name: 'PHP',
  parse: parsePhpFormat,
  compare: compareArgumentMaps,
};
const ruby: FormatRules<ReturnedBy<typeof parseRubyFormat>> = {
  name: 'Ruby',
  parse: parseRubyFormat,
  compare: compareRubyArguments,
};
const javascript: FormatRules<ReturnedBy<typeof parseJavascriptFormat>> = {
  name: 'JavaScript',
  parse: parseJavascriptFormat,
  compare: compareArgumentMaps,
};

function checkOne(message: PoMessage, pluralForms: PluralForms | undefined, format: MessageFormat): string[] {
  switch (format) {
    case 'c':
      return compare(message, pluralForms, c);
    case 'python':
      return compare(message, pluralForms, python);
    case 'python-brace':
      return compare(message, pluralForms, pythonBrace);
    case 'php':
      return compare(message, pluralForms, php);
    case 'ruby':
      return compare(message, pluralForms, ruby);
    case 'javascript':
      return compare(message, pluralForms, javascript);
  }
}

function compare<Parsed extends object>(
  message: PoMessage,
  pluralForms: PluralForms | undefined,
  rules: FormatRules<Parsed>,
): string[] {
  const source = rules.parse(decodeByteText(message.plural ?? message.id), false);
  // A source text that is no valid format of this kind is taken for ordinary text, as msgfmt does.
  if (typeof source === 'string') return [];
  const problems: string[] = [];
  for (const [index, text] of message.translations.entries()) {
    const name = message.plural === undefined ? 'msgstr' : `msgstr[${index}]`;
    const translation = rules.parse(decodeByteText(text), true);
    const problem =
      typeof translation === 'string'
        ? `is not a valid ${rules.name} format string: ${translation}`
        : rules.compare(source, translation, isStrict(message, pluralForms, index));
    if (problem !== undefined) problems.push(`${name} ${problem}`);
  }
  return problems;
}

function isStrict(message: PoMessage, pluralForms: PluralForms | undefined, index: number): boolean {
  if (message.plural === undefined || message.translations.length < 2) return true;
  if (pluralForms === undefined || pluralForms.isOften[index] !== true) return false;
  const { range } = message;
  return range === undefined || pluralForms.countUses(index, range.from, range.to) > 1;
}
