import type { Buffer } from 'node:buffer';
import { isUtf8 } from 'node:buffer';
import { TendError, toError } from '../errors.ts';
import { compareWithGettextParser, type MoParser } from './compare-with-gettext-parser.ts';
import type { MoEntry } from './mo-entry.ts';
import { checkMoHashTable, type MoLayout, readMoLayout } from './read-mo.ts';
import { ReusableBuffer } from './reusable-buffer.ts';
import { moStrings } from './write-mo.ts';

const stringBuffer = new ReusableBuffer();

/**
 * Makes sure that a .mo file says what it was made from: structure, order and hash table with our own strict reader, all
 * of it UTF-8, then every message with gettext-parser, which shares no code with the writer. That other reader is nearly
 * half of the time of a large set: what users see is worth it.
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

/** Everything but what gettext-parser sees: that each string is where the tables say, and found through them. */
function compare(bytes: Buffer, entries: readonly MoEntry[]): void {
  const layout = readMoLayout(bytes);
  if (layout.count !== entries.length)
    throw new Error(`${layout.count} messages instead of ${entries.length}`);
  const strings = moStrings(entries);
  const stringsAt = bytes.length - strings.length;
  if (!bytes.subarray(stringsAt).equals(stringBuffer.write(strings))) throw new Error('the strings differ');
  if (!isUtf8(bytes.subarray(stringsAt))) throw new Error('a string is not UTF-8');
  const behindKeys = checkTable(layout, layout.keysAt, entries, 'key', stringsAt);
  checkTable(layout, layout.valuesAt, entries, 'value', behindKeys);
  for (let index = 1; index < entries.length; index += 1) {
    const [before, after] = [entries[index - 1]?.key ?? '', entries[index]?.key ?? ''];
    if (!(before < after)) throw new Error(`message ${index} is out of order`);
  }
  checkMoHashTable(layout);
}

/** The strings stand one behind the other; returns the offset behind the last. */
function checkTable(
  { readWord }: MoLayout,
  tableAt: number,
  entries: readonly MoEntry[],
  part: keyof MoEntry,
  stringsAt: number,
): number {
  let at = stringsAt;
  for (let index = 0; index < entries.length; index += 1) {
    const length = entries[index]?.[part].length;
    const isGood = readWord(tableAt + index * 8) === length && readWord(tableAt + index * 8 + 4) === at;
    if (!isGood) throw new Error(`the ${part} of message ${index} is not where its table says`);
    at += length + 1;
  }
  return at;
}
