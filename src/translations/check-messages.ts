import type { ByteText } from './byte-text.ts';
import { checkFormats } from './check-formats.ts';
import type { Finding } from './findings.ts';
import type { PluralForms } from './plural-forms.ts';
import type { PoMessage } from './po-message.ts';

/** What is wrong with one message that is to be shipped, apart from its grammar. */
export function checkMessage(message: PoMessage, pluralForms: PluralForms | undefined): Finding[] {
  const texts: string[] = [];
  checkNewlines(message, texts);
  checkPluralCount(message, pluralForms, texts);
  if (message.formats.length > 0) texts.push(...checkFormats(message, pluralForms));
  const offset = message.translationAt;
  const findings: Finding[] = texts.map((text) => ({ offset, severity: 'error', text, isDroppable: true }));
  const empty = message.translations.indexOf('');
  if (empty > 0) {
    const text = `msgstr[${empty}] is empty: users would see nothing`;
    findings.push({ offset, severity: 'warning', text, isDroppable: true });
  }
  if (
    message.id !== '' &&
    !message.id.includes('\r') &&
    message.translations.some((text) => text.includes('\r'))
  ) {
    const text = 'the translation holds a carriage return ("\\r"), the source text does not: remove it';
    findings.push({ offset, severity: 'warning', text, isDroppable: true });
  }
  return findings;
}

/** Programs cut text at line ends: all texts of an entry begin, and end, with a newline or none does. */
function checkNewlines({ id, plural, translations }: PoMessage, problems: string[]): void {
  if (id === '') return;
  if (plural !== undefined) compareNewlines(id, plural, 'msgid_plural', problems);
  for (let index = 0; index < translations.length; index += 1) {
    const name = plural === undefined ? 'msgstr' : `msgstr[${index}]`;
    compareNewlines(id, translations[index] ?? '', name, problems);
  }
}

function compareNewlines(id: ByteText, text: ByteText, name: string, problems: string[]): void {
  if (isNewline(text, 0) !== isNewline(id, 0))
    problems.push(`msgid and ${name} do not both begin with "\\n"`);
  if (isNewline(text, text.length - 1) !== isNewline(id, id.length - 1)) {
    problems.push(`msgid and ${name} do not both end with "\\n"`);
  }
}

function isNewline(text: ByteText, at: number): boolean {
  return text.charCodeAt(at) === 10;
}

function checkPluralCount(
  { plural, translations }: PoMessage,
  pluralForms: PluralForms | undefined,
  problems: string[],
): void {
  if (plural === undefined || pluralForms === undefined || translations.length === pluralForms.count) return;
  problems.push(
    `the message has ${translations.length} plural forms, but the header says nplurals=${pluralForms.count}`,
  );
}
