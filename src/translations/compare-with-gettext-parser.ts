import { type Buffer, isAscii } from 'node:buffer';
import type { GetTextTranslation, GetTextTranslations } from 'gettext-parser';
import { type ByteText, decodeByteText } from './byte-text.ts';
import type { MoEntry } from './mo-entry.ts';
import { contextSeparator } from './po-message.ts';
import { ReusableBuffer } from './reusable-buffer.ts';

const textBuffer = new ReusableBuffer();

/** Reads .mo files; loaded once for all catalogs of a run. */
export type MoParser = (bytes: Buffer) => GetTextTranslations;

export async function loadMoParser(): Promise<MoParser> {
  const { mo } = await import('gettext-parser');
  return (bytes) => mo.parse(bytes);
}

/** Reads a .mo file with gettext-parser, which shares no code with us, and throws at the first message that differs. */
export function compareWithGettextParser(bytes: Buffer, entries: readonly MoEntry[], parse: MoParser): void {
  const contexts = parse(bytes).translations;
  const keys = decodeAll(entries.map(({ key }) => key));
  const values = decodeAll(entries.map(({ value }) => value));
  for (const [index, key] of keys.entries()) {
    const separator = key.indexOf(contextSeparator);
    const nul = key.indexOf('\0', separator + 1);
    const id = key.slice(separator + 1, nul === -1 ? undefined : nul);
    // What is not there may be found in Object.prototype, where nothing has a msgstr.
    const message = contexts[separator === -1 ? '' : key.slice(0, separator)]?.[id];
    if (isSame(message, values[index], nul === -1 ? '' : key.slice(nul + 1))) continue;
    // gettext-parser takes `msgctxt ""` for no context: where both exist it can show only one.
    if (separator === 0 && hasTwin(keys, key)) continue;
    throw new Error(`${JSON.stringify(id.slice(0, 60))} reads back differently`);
  }
}

function isSame(message: GetTextTranslation | undefined, value: string | undefined, plural: string): boolean {
  if (message?.msgstr === undefined || (message.msgid_plural ?? '') !== plural) return false;
  const { msgstr } = message;
  return (msgstr.length === 1 ? msgstr[0] : msgstr.join('\0')) === value;
}

/** All at once: a detour through a buffer for each of a million texts takes as long as reading them. */
function decodeAll(texts: readonly ByteText[]): readonly string[] {
  const all = textBuffer.write(texts.join(contextSeparator));
  if (isAscii(all)) return texts;
  const decoded = all.toString('utf8').split(contextSeparator);
  // No text holds the separator but the keys of messages with a context.
  return decoded.length === texts.length ? decoded : texts.map(decodeByteText);
}

function hasTwin(keys: readonly string[], key: string): boolean {
  const id = key.slice(1);
  const [lookup = ''] = id.split('\0');
  return keys.some((other) => other === id || other === lookup || other.startsWith(`${lookup}\0`));
}
