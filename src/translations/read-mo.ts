import type { Buffer } from 'node:buffer';
import { type ByteText, bytesToByteText } from './byte-text.ts';
import type { MoEntry } from './mo-entry.ts';
import { moHashPlace } from './mo-hash.ts';
import { moHeaderBytes, moMagic } from './write-mo.ts';

/** What is wrong with a .mo file. */
export class MoDamage extends Error {}

export interface MoLayout {
  bytes: Buffer;
  /** The word that stands at an offset. */
  readWord: (at: number) => number;
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
  const layout = readMoLayout(bytes);
  const text = bytesToByteText(bytes);
  const entries: MoEntry[] = [];
  let before: MoEntry | undefined;
  for (let index = 0; index < layout.count; index += 1) {
    const key = readText(layout, text, layout.keysAt + index * 8);
    const value = readText(layout, text, layout.valuesAt + index * 8);
    if (before !== undefined && !(before.key < key)) throw new MoDamage(`message ${index} is out of order`);
    before = { key, value };
    entries.push(before);
  }
  checkMoHashTable(layout);
  return entries;
}

/** @throws MoDamage for what is no .mo file, or one of a later form. */
export function readMoLayout(bytes: Buffer): MoLayout {
  if (bytes.length < moHeaderBytes) throw new MoDamage('the file is too short');
  const isLittleEndian = bytes.readUInt32LE(0) === moMagic;
  if (!isLittleEndian && bytes.readUInt32BE(0) !== moMagic) throw new MoDamage('this is no .mo file');
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const readWord = (at: number) => {
    if (at + 4 > bytes.length) throw new MoDamage('a table lies outside the file');
    return words.getUint32(at, isLittleEndian);
  };
  const revision = readWord(4);
  if (revision >>> 16 > 1) throw new MoDamage(`revision ${revision} is not known`);
  return {
    ...{ bytes, readWord, count: readWord(8) },
    ...{ keysAt: readWord(12), valuesAt: readWord(16), hashSize: readWord(20), hashAt: readWord(24) },
  };
}

function readText(layout: MoLayout, text: ByteText, descriptorAt: number): ByteText {
  const length = layout.readWord(descriptorAt);
  const from = layout.readWord(descriptorAt + 4);
  if (from + length >= text.length) throw new MoDamage('a string lies outside the file');
  if (layout.bytes[from + length] !== 0) throw new MoDamage('a string is not closed by a NUL');
  return text.slice(from, from + length);
}

/** Looks each key up as glibc would; every string must be known to be closed by a NUL. */
export function checkMoHashTable({ bytes, count, keysAt, hashSize, hashAt, readWord }: MoLayout): void {
  if (hashSize <= 2) return;
  for (let index = 0; index < count; index += 1) {
    const { slot: first, step } = moHashPlace(bytes, readWord(keysAt + index * 8 + 4), hashSize);
    let slot = first;
    for (let looked = 0; ; looked += 1) {
      const found = readWord(hashAt + slot * 4);
      if (found === index + 1) break;
      if (found === 0 || looked > hashSize) throw new MoDamage(`message ${index} is not in the hash table`);
      slot = (slot + step) % hashSize;
    }
  }
}
