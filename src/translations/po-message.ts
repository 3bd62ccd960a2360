import type { ByteText } from './byte-text.ts';

/** Formats whose placeholders are compared. */
export type MessageFormat = 'c' | 'python' | 'python-brace' | 'php' | 'ruby' | 'javascript';

/** What the flag comments (`#,`) before an entry say. */
export interface MessageFlags {
  isFuzzy: boolean;
  formats: readonly MessageFormat[];
  /** `range: 0..5`: the only numbers this plural message is used with. */
  range: { from: number; to: number } | undefined;
}

/** One entry of a .po file. */
export interface PoMessage extends MessageFlags {
  /** `undefined` without msgctxt; `msgctxt ""` is a context of its own. */
  context: ByteText | undefined;
  id: ByteText;
  plural: ByteText | undefined;
  /** One translation, or one for each plural form. */
  translations: readonly ByteText[];
  /** What programs look it up by, `context EOT msgid` or `msgid`: two messages with the same are duplicates. */
  key: ByteText;
  isObsolete: boolean;
  /** Offset of the keyword `msgid`. */
  idAt: number;
  /** Offset of the (first) keyword `msgstr`. */
  translationAt: number;
}

/** What follows the context in a .mo file's key; a character that no string of a catalog may hold. */
export const contextSeparator = '\x04';

/** The entry that describes the catalog itself: charset, plural forms. */
export function isHeader(message: PoMessage): boolean {
  return message.id === '' && message.context === undefined;
}
