import type { Buffer } from 'node:buffer';
import type { GetTextTranslations } from 'gettext-parser';
import { decodeByteText } from './byte-text.ts';
import type { MoEntry } from './mo-entry.ts';
import { contextSeparator } from './po-message.ts';

/** Reads .mo files; loaded once for all catalogs of a run. */
export type MoParser = (bytes: Buffer) => GetTextTranslations;

export async function loadMoParser(): Promise<MoParser> {
  const { mo } = await import('gettext-parser');
  return (bytes) => mo.parse(bytes);
}

/** Reads a .mo file with gettext-parser, which shares no code with us, and throws at the first message that differs. */
export function compareWithGettextParser(bytes: Buffer, entries: readonly MoEntry[], parse: MoParser): void {
  const table = parse(bytes);
  const keys = new Set(entries.map(({ key }) => key));
  for (const { key, value } of entries) {
    // gettext-parser takes `msgctxt ""` for no context: where both exist it can show only one.
    if (key.startsWith(contextSeparator) && hasTwin(keys, key)) continue;
    const [lookup = '', ...plurals] = decodeByteText(key).split('\0');
    const separator = lookup.indexOf(contextSeparator);
    const context = separator === -1 ? '' : lookup.slice(0, separator);
    const id = lookup.slice(separator + 1);
    const contexts = table.translations;
    const found = Object.hasOwn(contexts, context) ? contexts[context] : undefined;
    const message = found !== undefined && Object.hasOwn(found, id) ? found[id] : undefined;
    const isSame =
      message?.msgstr.join('\0') === decodeByteText(value) &&
      (message.msgid_plural ?? '') === plurals.join('\0');
    if (!isSame) throw new Error(`${JSON.stringify(id.slice(0, 60))} reads back differently`);
  }
}

function hasTwin(keys: ReadonlySet<string>, key: string): boolean {
  const id = key.slice(1);
  const [lookup = ''] = id.split('\0');
  if (keys.has(id) || keys.has(lookup)) return true;
  for (const other of keys) {
    if (other.startsWith(`${lookup}\0`)) return true;
  }
  return false;
}
