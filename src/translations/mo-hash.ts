/** P. J. Weinberger's hash, as the .mo format wants it: of the bytes from `at` to the first NUL, in 32 bits. */
function hashMoKey(bytes: Uint8Array, at: number): number {
  let hash = 0;
  for (let index = at; ; index += 1) {
    const byte = bytes[index];
    if (byte === undefined || byte === 0) return hash >>> 0;
    hash = ((hash << 4) + byte) | 0;
    const high = hash & 0xf000_0000;
    if (high !== 0) hash ^= (high >>> 24) ^ high;
  }
}

/** Size of the hash table for this many messages: a prime, a third more than the messages, as msgfmt chooses it. */
export function moHashSize(messageCount: number): number {
  return Math.max(3, nextPrime(Math.floor((messageCount * 4) / 3)));
}

/**
 * Where the key that stands at `at` is looked for in a table of `size` slots, which is prime: first there, then `step`
 * further each time.
 */
export function moHashPlace(bytes: Uint8Array, at: number, size: number): { slot: number; step: number } {
  const hash = hashMoKey(bytes, at);
  return { slot: hash % size, step: 1 + (hash % (size - 2)) };
}

/** Message number + 1 for each slot, 0 where it is free. `keysAt` says where in `bytes` the keys stand. */
export function buildMoHashTable(bytes: Uint8Array, keysAt: Uint32Array, size: number): Uint32Array {
  const table = new Uint32Array(size);
  for (const [index, at] of keysAt.entries()) {
    const { slot: first, step } = moHashPlace(bytes, at, size);
    let slot = first;
    while (table[slot] !== 0) slot = (slot + step) % size;
    table[slot] = index + 1;
  }
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
