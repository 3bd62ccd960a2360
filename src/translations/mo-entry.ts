import type { ByteText } from './byte-text.ts';
import { shippedHeader } from './catalog-header.ts';
import { isHeader, type PoMessage } from './po-message.ts';

/** One message of a .mo file. */
export interface MoEntry {
  /** `context EOT msgid`, and behind a NUL the plural. Programs look up what is before the NUL. */
  key: ByteText;
  /** The translation, or all plural forms with NULs between. */
  value: ByteText;
}

/** The entries of these messages, in the order of their keys' bytes: programs without a hash table search in halves. */
export function toMoEntries(messages: readonly PoMessage[]): MoEntry[] {
  return messages.map(toMoEntry).sort((a, b) => (a.key < b.key ? -1 : 1));
}

function toMoEntry(message: PoMessage): MoEntry {
  const { plural, translations } = message;
  const key = plural === undefined ? message.key : `${message.key}\0${plural}`;
  const value = plural === undefined ? (translations[0] ?? '') : translations.join('\0');
  return { key, value: isHeader(message) ? shippedHeader(value) : value };
}
