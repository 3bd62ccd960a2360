/** Thrown where the bytes at hand end before what is read: the beginning of an archive is still coming in. */
export class NeedsMoreBytes extends Error {}

/**
 * Reads the numbers and texts of a pg_dump archive (pg_backup_archiver.c): a number is a sign byte and `intSize` bytes,
 * little-endian; a text is its length and its bytes, and a length below zero is no text at all.
 */
export class ArchiveCursor {
  readonly #bytes: Buffer;
  at: number;
  /** Told by the archive itself, early in its head. */
  intSize = 4;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  byte(): number {
    const value = this.#bytes[this.at];
    if (value === undefined) throw new NeedsMoreBytes();
    this.at += 1;
    return value;
  }

  int(): number {
    const isNegative = this.byte() !== 0;
    this.#require(this.intSize);
    const value = this.#bytes.readUIntLE(this.at, this.intSize);
    this.at += this.intSize;
    return isNegative ? -value : value;
  }

  text(): string | null {
    const length = this.int();
    if (length < 0) return null;
    this.#require(length);
    const value = this.#bytes.toString('utf8', this.at, this.at + length);
    this.at += length;
    return value;
  }

  skip(count: number): void {
    this.#require(count);
    this.at += count;
  }

  #require(count: number): void {
    if (this.at + count > this.#bytes.length) throw new NeedsMoreBytes();
  }
}
