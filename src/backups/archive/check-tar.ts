import { open } from 'node:fs/promises';

const block = 512;

/**
 * Follows the headers of a tar archive to its end: `pg_restore` runs for ever on one that was cut off (15.18).
 *
 * @returns what is wrong; undefined where it is whole.
 */
export async function tarProblem(path: string): Promise<string | undefined> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  const header = Buffer.alloc(2 * block);
  let at = 0;
  for (;;) {
    const { bytesRead } = await file.read(header, 0, header.length, at);
    if (bytesRead < header.length) return 'it is cut off';
    if (header.every((byte) => byte === 0)) return undefined;
    if (checksumOf(header) !== octal(header, 148, 8)) return `what stands at byte ${at} is no header`;
    at += block + Math.ceil(sizeOf(header) / block) * block;
    if (at > size) return 'it is cut off';
  }
}

/** Of all bytes of the header, with spaces in the place of the checksum itself. */
function checksumOf(header: Buffer): number {
  let sum = 8 * 0x20;
  for (let index = 0; index < block; index += 1) {
    if (index < 148 || index >= 156) sum += header[index] ?? 0;
  }
  return sum;
}

/** In octal digits, or from 8 GiB on in binary, which the first bit says. */
function sizeOf(header: Buffer): number {
  return ((header[124] ?? 0) & 0x80) === 0 ? octal(header, 124, 12) : header.readUIntBE(130, 6);
}

function octal(header: Buffer, at: number, length: number): number {
  return Number.parseInt(header.toString('latin1', at, at + length), 8);
}
