import type { Buffer } from 'node:buffer';
import { type ByteText, bytesToByteText } from './byte-text.ts';
import type { MoEntry } from './mo-entry.ts';
import { moHashPlace } from './mo-hash.ts';
import { moHeaderBytes, moMagic } from './write-mo.ts';

/** What is wrong with a .mo file. */
export class MoDamage extends Error {}

interface MoLayout {
  readWord: (at: number) => number;
  text: ByteText;
  count: number;
  keysAt: number;
  valuesAt: number;
  hashSize: number;
  hashAt: number;
}

/**
 * Reads a .mo file of either byte order, as strictly as it was written: every string inside the file and closed by
 * a NUL, keys in the order of their bytes, and each found through the hash table as glibc would look it up.
 *
 * @throws MoDamage
 */
export function readMo(bytes: Buffer): MoEntry[] {
  const layout = readLayout(bytes);
  const entries: MoEntry[] = [];
  for (let index = 0; index < layout.count; index += 1) {
    const key = readText(layout, layout.keysAt + index * 8);
    const value = readText(layout, layout.valuesAt + index * 8);
    const before = entries.at(-1);
    if (before !== undefined && !(before.key < key)) throw new MoDamage(`message ${index} is out of order`);
    entries.push({ key, value });
  }
  checkHashTable(layout, entries);
  return entries;
}

function readLayout(bytes: Buffer): MoLayout {
  if (bytes.length < moHeaderBytes) throw new MoDamage('the file is too short');
  const isLittleEndian = bytes.readUInt32LE(0) === moMagic;
  if (!isLittleEndian && bytes.readUInt32BE(0) !== moMagic) throw new MoDamage('this is no .mo file');
  const readWord = (at: number) => {
    if (at < 0 || at + 4 > bytes.length) throw new MoDamage('a table lies outside the file');
    return isLittleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  };
  const revision = readWord(4);
  if (revision >>> 16 > 1) throw new MoDamage(`revision ${revision} is not known`);
  return {
    readWord,
    text: bytesToByteText(bytes),
    count: readWord(8),
    keysAt: readWord(12),
    valuesAt: readWord(16),
    hashSize: readWord(20),
    hashAt: readWord(24),
  };
}

function readText(layout: MoLayout, descriptorAt: number): ByteText {
  const length = layout.readWord(descriptorAt);
  const from = layout.readWord(descriptorAt + 4);
  if (from + length >= layout.text.length) throw new MoDamage('a string lies outside the file');
  if (layout.text[from + length] !== '\0') throw new MoDamage('a string is not closed by a NUL');
  return layout.text.slice(from, from + length);
}

function checkHashTable(layout: MoLayout, entries: readonly MoEntry[]): void {
  const { hashSize, hashAt, readWord } = layout;
  if (hashSize <= 2) return;
  for (const [index, { key }] of entries.entries()) {
    const { slot, step } = moHashPlace(key, hashSize);
    for (let looked = 0; ; looked += 1) {
      const found = readWord(hashAt + ((slot + looked * step) % hashSize) * 4);
      if (found === index + 1) break;
      if (found === 0 || looked > hashSize) throw new MoDamage(`message ${index} is not in the hash table`);
    }
  }
}
