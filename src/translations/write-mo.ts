import { Buffer } from 'node:buffer';
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
  const header = [moMagic, 0, count, moHeaderBytes, valuesAt, hashTable.length, hashAt];
  for (const [index, word] of header.entries()) output.writeUInt32LE(word, index * 4);
  let at = stringsAt;
  let descriptorAt = moHeaderBytes;
  for (const text of [...keys, ...values]) {
    output.writeUInt32LE(text.length, descriptorAt);
    output.writeUInt32LE(at, descriptorAt + 4);
    descriptorAt += 8;
    at += text.length + 1;
  }
  for (const [index, word] of hashTable.entries()) output.writeUInt32LE(word, hashAt + index * 4);
  output.write(strings, stringsAt, 'latin1');
  return output;
}
