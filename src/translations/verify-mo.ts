import type { Buffer } from 'node:buffer';
import { isUtf8 } from 'node:buffer';
import { TendError, toError } from '../errors.ts';
import { compareWithGettextParser, type MoParser } from './compare-with-gettext-parser.ts';
import type { MoEntry } from './mo-entry.ts';
import { readMo } from './read-mo.ts';

/**
 * Makes sure that a .mo file says what it was made from: structure, order and hash table with our own strict reader, all
 * of it UTF-8, then every message with gettext-parser, which shares no code with the writer. That other reader is most of
 * the time of a large set: what users see is worth it.
 *
 * @throws TendError BUG with the first message that differs: such a file must never go live.
 */
export function verifyMo(bytes: Buffer, entries: readonly MoEntry[], parse: MoParser): void {
  try {
    compare(bytes, entries);
    compareWithGettextParser(bytes, entries, parse);
  } catch (error) {
    throw new TendError(
      'BUG',
      `The compiled catalog does not read back as written: ${toError(error).message}`,
      {
        cause: error,
        isPermanent: true,
      },
    );
  }
}

function compare(bytes: Buffer, entries: readonly MoEntry[]): void {
  const read = readMo(bytes);
  if (read.length !== entries.length) throw new Error(`${read.length} messages instead of ${entries.length}`);
  for (const [index, { key, value }] of entries.entries()) {
    const other = read[index];
    if (other?.key !== key || other.value !== value) throw new Error(`message ${index} differs`);
  }
  // The strings are the end of the file, one behind the other.
  const stringsAt =
    bytes.length - entries.reduce((sum, { key, value }) => sum + key.length + value.length + 2, 0);
  if (!isUtf8(bytes.subarray(stringsAt))) throw new Error('a string is not UTF-8');
}
