import { Buffer } from 'node:buffer';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/**
 * Memory for one thing after the other. A set of catalogs would otherwise leave some megabytes for each of them to the
 * garbage collector, which sees only the small objects that hold them and is in no hurry.
 */
export class ReusableBuffer {
  #memory = Buffer.alloc(0);

  /** Bytes of any content, until the next call. */
  take(length: number): Buffer {
    if (this.#memory.length < length) this.#memory = Buffer.allocUnsafeSlow(Math.ceil(length * 1.25));
    return this.#memory.subarray(0, length);
  }

  /** The content of a file, until the next call; throws as `readFileSync`. */
  read(path: string): Buffer {
    const file = openSync(path, 'r');
    try {
      const { size } = fstatSync(file);
      let length = 0;
      // One byte more than there should be: a file that grows meanwhile is read to its end.
      for (let bytes = this.take(size + 1); ; ) {
        const count = readSync(file, bytes, length, bytes.length - length, null);
        length += count;
        if (count === 0) return bytes.subarray(0, length);
        if (length < bytes.length) continue;
        const before = bytes;
        bytes = this.take(length * 2);
        if (before.buffer !== bytes.buffer) before.copy(bytes);
      }
    } finally {
      closeSync(file);
    }
  }

  /** One byte for each character of a text whose characters are bytes; until the next call. */
  write(text: string): Buffer {
    const bytes = this.take(text.length);
    bytes.write(text, 'latin1');
    return bytes;
  }
}
