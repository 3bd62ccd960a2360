import { Buffer } from 'node:buffer';
import type { ByteText } from './byte-text.ts';
import type { MoEntry } from './mo-entry.ts';
import { buildMoHashTable } from './mo-hash.ts';

/** First word of a .mo file, in the byte order of the rest. */
export const moMagic = 0x950412de;
export const moHeaderBytes = 28;

/**
 * The .mo file of these entries, which must be in the order of their keys: little-endian, revision 0, with the hash
 * table that glibc uses. Byte for byte what `msgfmt` makes of the same messages.
 */
export function writeMo(entries: readonly MoEntry[]): Buffer {
  const keys = entries.map(({ key }) => key);
  const values = entries.map(({ value }) => value);
  const hashTable = buildMoHashTable(keys);
  const count = entries.length;
  const valuesAt = moHeaderBytes + count * 8;
  const hashAt = valuesAt + count * 8;
  const stringsAt = hashAt + hashTable.length * 4;
  const strings = [...keys, ...values, ''].join('\0');
  const output = Buffer.allocUnsafe(stringsAt + strings.length);
  const words = new DataView(output.buffer, output.byteOffset);
  const header = [moMagic, 0, count, moHeaderBytes, valuesAt, hashTable.length, hashAt];
  header.forEach((word, index) => words.setUint32(index * 4, word, true));
  let at = stringsAt;
  let descriptorAt = moHeaderBytes;
  const describe = (text: ByteText) => {
    words.setUint32(descriptorAt, text.length, true);
    words.setUint32(descriptorAt + 4, at, true);
    descriptorAt += 8;
    at += text.length + 1;
  };
  keys.forEach(describe);
  values.forEach(describe);
  hashTable.forEach((word, index) => words.setUint32(hashAt + index * 4, word, true));
  output.write(strings, stringsAt, 'latin1');
  return output;
}
