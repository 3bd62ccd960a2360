import type { MessageFlags, MessageFormat } from './po-message.ts';

export const noFlags: MessageFlags = { isFuzzy: false, formats: [], range: undefined };

const knownFormats = new Map<string, MessageFormat>([
  ['c-format', 'c'],
  ['python-format', 'python'],
  ['python-brace-format', 'python-brace'],
  ['php-format', 'php'],
  ['ruby-format', 'ruby'],
  ['javascript-format', 'javascript'],
]);

/** Only these: `\s` would take a byte 0xA0 out of the middle of a character. */
const separators = /[ \t\n\v\f\r,]+/;

/** The same few comments stand before most messages of a catalog. */
const alone = new Map<string, MessageFlags>();
const maxKnown = 100;

/**
 * Adds what one comment says to the flags of the entry that follows it. `text` is the comment after its `#`.
 * Flags stand after `#,`, after `#!` (its ancient form), and since gettext 1.0 also after `#=`.
 */
export function addFlags(flags: MessageFlags, text: string): MessageFlags {
  if (flags !== noFlags) return readFlags(flags, text);
  const known = alone.get(text);
  if (known !== undefined) return known;
  if (alone.size >= maxKnown) alone.clear();
  const read = readFlags(noFlags, text);
  alone.set(text, read);
  return read;
}

function readFlags(flags: MessageFlags, text: string): MessageFlags {
  const first = text[0];
  if (first !== ',' && first !== '!' && first !== '=') return flags;
  let { isFuzzy, range } = flags;
  const formats = new Set(flags.formats);
  const words = text.slice(1).split(separators);
  for (const [index, word] of words.entries()) {
    if (word === 'fuzzy') isFuzzy = true;
    else if (word === 'range:') range = readRange(words[index + 1]) ?? range;
    else applyFormatFlag(formats, word);
  }
  return { isFuzzy, range, formats: [...formats] };
}

function applyFormatFlag(formats: Set<MessageFormat>, word: string): void {
  if (!word.endsWith('-format')) return;
  const negated = /^(?:no|impossible)-(.+)$/.exec(word)?.[1];
  if (negated !== undefined) {
    const format = knownFormats.get(negated);
    if (format !== undefined) formats.delete(format);
    return;
  }
  const format = knownFormats.get(word.replace(/^possible-/, ''));
  if (format !== undefined) formats.add(format);
}

function readRange(word: string | undefined): MessageFlags['range'] {
  const match = /^(\d{1,9})\.\.(\d{1,9})$/.exec(word ?? '');
  return match === null ? undefined : { from: Number(match[1]), to: Number(match[2]) };
}
