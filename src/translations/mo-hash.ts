import type { ByteText } from './byte-text.ts';

/** P. J. Weinberger's hash, as the .mo format wants it: of the bytes before the first NUL, in 32 bits. */
function hashMoKey(key: ByteText): number {
  let hash = 0;
  for (let index = 0; index < key.length; index += 1) {
    const byte = key.charCodeAt(index);
    if (byte === 0) break;
    hash = ((hash << 4) + byte) >>> 0;
    const high = hash & 0xf000_0000;
    if (high !== 0) hash = (hash ^ (high >>> 24) ^ high) >>> 0;
  }
  return hash;
}

/** Size of the hash table for this many messages: a prime, a third more than the messages, as msgfmt chooses it. */
function moHashSize(messageCount: number): number {
  return Math.max(3, nextPrime(Math.floor((messageCount * 4) / 3)));
}

/** Where a key is looked for in a table of `size` slots, which is prime: first there, then `step` further each time. */
export function moHashPlace(key: ByteText, size: number): { slot: number; step: number } {
  const hash = hashMoKey(key);
  return { slot: hash % size, step: 1 + (hash % (size - 2)) };
}

/** Message number + 1 for each slot, 0 where it is free. */
export function buildMoHashTable(keys: readonly ByteText[]): Uint32Array {
  const size = moHashSize(keys.length);
  const table = new Uint32Array(size);
  keys.forEach((key, index) => {
    const { slot: first, step } = moHashPlace(key, size);
    let slot = first;
    while (table[slot] !== 0) slot = (slot + step) % size;
    table[slot] = index + 1;
  });
  return table;
}

function nextPrime(from: number): number {
  let candidate = from | 1;
  // msgfmt takes 1 for a prime and 3 for none; it makes no difference but that files compare equal.
  if (candidate <= 3) return candidate === 3 ? 5 : 3;
  while (!isPrime(candidate)) candidate += 2;
  return candidate;
}

function isPrime(odd: number): boolean {
  for (let divisor = 3; divisor * divisor <= odd; divisor += 2) {
    if (odd % divisor === 0) return false;
  }
  return true;
}
