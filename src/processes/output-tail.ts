/**
 * Keeps the newest `limitBytes` of what is written to it, whole UTF-8 characters only: what a program said last is
 * what explains its failure.
 */
export class OutputTail {
  readonly #limitBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #hasDropped = false;

  constructor(limitBytes = 64 * 1024) {
    this.#limitBytes = limitBytes;
  }

  write(chunk: Buffer | string): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes > this.#limitBytes * 2) this.#shrink();
  }

  /** The tail as text; starts with `…` where older output was dropped. */
  text(): string {
    if (this.#bytes === 0) return '';
    this.#shrink();
    const all = this.#chunks[0] ?? Buffer.alloc(0);
    if (!this.#hasDropped) return all.toString('utf8');
    return `…${all.subarray(firstWhole(all)).toString('utf8')}`;
  }

  #shrink(): void {
    const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    if (all === undefined) return;
    const isTooLong = all.length > this.#limitBytes;
    if (isTooLong) this.#hasDropped = true;
    const kept = isTooLong ? Buffer.from(all.subarray(all.length - this.#limitBytes)) : all;
    this.#chunks = [kept];
    this.#bytes = kept.length;
  }
}

/**
 * Where whole text begins after a cut: at a line, if one begins soon, since a secret that was cut in half would not
 * be known as one; else at a character (bytes 10xxxxxx continue one).
 */
function firstWhole(bytes: Buffer): number {
  const newline = bytes.subarray(0, 4096).indexOf('\n');
  if (newline !== -1) return newline + 1;
  let start = 0;
  while (start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  return start;
}
