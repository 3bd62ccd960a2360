import { writeSync } from 'node:fs';

/**
 * Writes all of `text` before it returns, also to a pipe that is full: what follows may be the end of this process. A
 * pipe whose other end is gone takes nothing any more, and that is all right: nobody is left to read.
 */
export function writeFully(descriptor: number, text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'EAGAIN') return;
      // Node made the pipe non-blocking; there is no event loop to wait in.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
