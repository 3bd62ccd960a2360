import { checkFormats } from './check-formats.ts';
import type { Finding } from './findings.ts';
import type { PluralForms } from './plural-forms.ts';
import type { PoMessage } from './po-message.ts';

/** What is wrong with one message that is to be shipped, apart from its grammar. */
export function checkMessage(message: PoMessage, pluralForms: PluralForms | undefined): Finding[] {
  const texts = [
    ...checkNewlines(message),
    ...checkPluralCount(message, pluralForms),
    ...checkFormats(message, pluralForms),
  ];
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
function checkNewlines(message: PoMessage): string[] {
  const { id, plural, translations } = message;
  if (id === '') return [];
  const problems: string[] = [];
  const compare = (text: string, name: string) => {
    if (text.startsWith('\n') !== id.startsWith('\n')) {
      problems.push(`msgid and ${name} do not both begin with "\\n"`);
    }
    if (text.endsWith('\n') !== id.endsWith('\n')) {
      problems.push(`msgid and ${name} do not both end with "\\n"`);
    }
  };
  if (plural !== undefined) compare(plural, 'msgid_plural');
  for (const [index, text] of translations.entries()) {
    compare(text, plural === undefined ? 'msgstr' : `msgstr[${index}]`);
  }
  return problems;
}

function checkPluralCount(message: PoMessage, pluralForms: PluralForms | undefined): string[] {
  if (message.plural === undefined || pluralForms === undefined) return [];
  const { length } = message.translations;
  if (length === pluralForms.count) return [];
  return [`the message has ${length} plural forms, but the header says nplurals=${pluralForms.count}`];
}
