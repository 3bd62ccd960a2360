import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Changes one byte of a file: the one at this fraction of its length (0 to 1). The byte is always another afterwards,
 * which setting it to a fixed value would not promise: it may have had that value.
 */
export function flipByte(path: string, at: number): void {
  const bytes = readFileSync(path);
  const position = Math.floor(bytes.length * at);
  bytes[position] = (bytes[position] ?? 0) ^ 0x20;
  writeFileSync(path, bytes);
}
