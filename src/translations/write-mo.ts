import { Buffer } from 'node:buffer';
import type { ByteText } from './byte-text.ts';
import type { MoEntry } from './mo-entry.ts';
import { buildMoHashTable, moHashSize } from './mo-hash.ts';

/** First word of a .mo file, in the byte order of the rest. */
export const moMagic = 0x950412de;
export const moHeaderBytes = 28;

/**
 * The .mo file of these entries, which must be in the order of their keys: little-endian, revision 0, with the hash
 * table that glibc uses. Byte for byte what `msgfmt` makes of the same messages.
 */
export function writeMo(entries: readonly MoEntry[]): Buffer {
  const count = entries.length;
  const valuesAt = moHeaderBytes + count * 8;
  const hashAt = valuesAt + count * 8;
  const hashSize = moHashSize(count);
  const stringsAt = hashAt + hashSize * 4;
  const strings = moStrings(entries);
  const output = Buffer.allocUnsafe(stringsAt + strings.length);
  const words = new DataView(output.buffer, output.byteOffset);
  const header = [moMagic, 0, count, moHeaderBytes, valuesAt, hashSize, hashAt];
  header.forEach((word, index) => words.setUint32(index * 4, word, true));
  output.write(strings, stringsAt, 'latin1');
  const keysAt = new Uint32Array(count);
  let at = stringsAt;
  for (let index = 0; index < count; index += 1) {
    const { length } = entries[index]?.key ?? '';
    describe(words, moHeaderBytes + index * 8, length, at);
    keysAt[index] = at;
    at += length + 1;
  }
  for (let index = 0; index < count; index += 1) {
    const { length } = entries[index]?.value ?? '';
    describe(words, valuesAt + index * 8, length, at);
    at += length + 1;
  }
  const table = buildMoHashTable(output, keysAt, hashSize);
  for (let slot = 0; slot < hashSize; slot += 1) words.setUint32(hashAt + slot * 4, table[slot] ?? 0, true);
  return output;
}

/** The strings of a .mo file as they stand at its end, each closed by a NUL: all keys, then all values. */
export function moStrings(entries: readonly MoEntry[]): ByteText {
  return [...entries.map(({ key }) => key), ...entries.map(({ value }) => value), ''].join('\0');
}

function describe(words: DataView, descriptorAt: number, length: number, at: number): void {
  words.setUint32(descriptorAt, length, true);
  words.setUint32(descriptorAt + 4, at, true);
}
