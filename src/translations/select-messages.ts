import { isHeader, type PoMessage } from './po-message.ts';

/** What becomes of an entry: only `shipped` ones reach the .mo file. */
export type MessageFate = 'shipped' | 'fuzzy' | 'untranslated' | 'obsolete';

/**
 * Decides as msgfmt does: obsolete, untranslated and fuzzy entries stay out, so that users see the source text rather
 * than nothing or a guess. The first plural form decides whether an entry is translated. The header goes in even if
 * it is marked fuzzy.
 */
export function messageFate(message: PoMessage, options: { useFuzzy: boolean }): MessageFate {
  if (message.isObsolete) return 'obsolete';
  if (message.translations[0] === '') return 'untranslated';
  if (message.isFuzzy && !options.useFuzzy && !isHeader(message)) return 'fuzzy';
  return 'shipped';
}
