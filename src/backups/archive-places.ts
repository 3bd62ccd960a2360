import { NeedsMoreBytes } from './archive-cursor.ts';
import { type ArchiveToc, readArchiveToc } from './archive-toc.ts';

/** What stands where in the data of the custom format (pg_backup_custom.c): a table's rows, or large objects. */
const blockTypes = { data: 1, largeObjects: 3 };

/** As `K_OFFSET_POS_SET` there. */
const placeIsSet = 2;

/** A table of contents beyond this is not waited for. */
const longestTocBytes = 256 * 1024 * 1024;

/** Bytes to be written over others at a place of the file. */
export interface Patch {
  at: number;
  bytes: Buffer;
}

/** An empty stretch of a file that takes no space. */
export interface Gap {
  /** In the chunk at hand: what comes from there on is moved. */
  at: number;
  bytes: number;
}

/** More would near what a file system takes as a file. */
const mostGapBytes = 1024 ** 4;

/**
 * Watches an archive of the custom format pass by and notes where the data of each table begin.
 *
 * pg_dump leaves these places open when it writes into a pipe, as it does for a backup set. Without them each worker of
 * a parallel `pg_restore` searches the file from its beginning, one seek a row, and the biggest table is not begun
 * first. With them written in, the archive is as one that pg_dump wrote to a file.
 *
 * pg_restore takes the biggest table first, and knows its size from where the next one begins. With `gapFactors` a gap
 * follows the data of a table, so many times as long as they: a table whose indexes take long is begun early then, and
 * is not what everybody waits for at the end.
 *
 * What has passed is also known to be whole: every entry has its data, and the last of them its end.
 */
export class ArchivePlaces {
  #toc: ArchiveToc | undefined;
  #state: 'toc' | 'unknown' | 'type' | 'id' | 'length' | 'object' | 'objectLength' = 'toc';
  #beginning: Buffer[] = [];
  #beginningBytes = 0;
  #tryAtBytes = 64 * 1024;
  /** Of the archive, up to the chunk at hand. */
  #passed = 0;
  #skip = 0;
  #areObjects = false;
  #problem: string | undefined;
  #partly: number[] = [];
  #blockAt = 0;
  readonly #places = new Map<number, number>();
  readonly #gapFactors: (toc: ArchiveToc) => Map<number, number>;
  #factors = new Map<number, number>();
  #gapBytes = 0;
  #gaps: Gap[] = [];
  #id = 0;
  #hasEnded = false;

  constructor(options: { gapFactors?: (toc: ArchiveToc) => Map<number, number> } = {}) {
    this.#gapFactors = options.gapFactors ?? (() => new Map());
  }

  /** Returns the gaps to be left in the chunk, in order. */
  note(chunk: Buffer): Gap[] {
    this.#gaps = [];
    if (this.#state === 'toc') this.#gather(chunk);
    else this.#walk({ chunk, from: 0, newFrom: 0 });
    return this.#gaps;
  }

  /** After the last byte: why the archive is not whole; undefined where it is, or is of a format not known here. */
  problem(): string | undefined {
    if (this.#state === 'toc') this.#readToc(0);
    if (this.#state === 'toc') return 'its table of contents is cut off';
    if (this.#problem !== undefined) return this.#problem;
    if (this.#state === 'unknown' || this.#toc === undefined) return undefined;
    if (this.#state !== 'type' || this.#skip > 0) return 'its data are cut off';
    const missing = this.#toc.entries.find(({ id, hasData }) => hasData && !this.#places.has(id));
    return missing === undefined ? undefined : `the data of "${missing.name}" are missing`;
  }

  get #isWalking(): boolean {
    return this.#state !== 'unknown' && this.#problem === undefined;
  }

  /** Undefined where the format is not known here, and nothing can be said about the archive. */
  get toc(): ArchiveToc | undefined {
    return this.#toc;
  }

  patches(): Patch[] {
    const toc = this.#toc;
    if (toc === undefined) return [];
    return toc.entries.flatMap(({ id, placeAt }) => {
      const place = this.#places.get(id);
      if (place === undefined) return [];
      const bytes = Buffer.alloc(1 + toc.offsetSize);
      bytes[0] = placeIsSet;
      bytes.writeUIntLE(place, 1, Math.min(6, toc.offsetSize));
      return [{ at: placeAt, bytes }];
    });
  }

  #gather(chunk: Buffer): void {
    this.#beginning.push(chunk);
    this.#beginningBytes += chunk.length;
    if (this.#beginningBytes >= this.#tryAtBytes) this.#readToc(chunk.length);
  }

  /** @param newBytes of the beginning that were not passed on yet. */
  #readToc(newBytes: number): void {
    const bytes = Buffer.concat(this.#beginning);
    try {
      this.#toc = readArchiveToc(bytes);
    } catch (error) {
      if (!(error instanceof NeedsMoreBytes)) throw error;
      this.#beginning = [bytes];
      this.#tryAtBytes = this.#beginningBytes * 2;
      if (this.#beginningBytes > longestTocBytes) this.#state = 'unknown';
      return;
    }
    this.#beginning = [];
    if (this.#toc !== undefined) this.#factors = this.#gapFactors(this.#toc);
    this.#state = this.#toc?.head.format === 'custom' ? 'type' : 'unknown';
    const newFrom = newBytes === 0 ? Number.POSITIVE_INFINITY : bytes.length - newBytes;
    this.#walk({ chunk: bytes, from: this.#toc?.endsAt ?? 0, newFrom });
  }

  /** @param options `newFrom`: what comes before it was passed on, and cannot be moved any more. */
  #walk({ chunk, from, newFrom }: { chunk: Buffer; from: number; newFrom: number }): void {
    const numberBytes = 1 + (this.#toc?.intSize ?? 4);
    let at = from;
    while (at < chunk.length && this.#isWalking) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at);
        at += step;
        this.#skip -= step;
      } else if (this.#state === 'type') {
        this.#blockAt = this.#passed + at + this.#gapBytes;
        this.#begin(chunk[at] ?? 0);
        at += 1;
      } else if (this.#partly.length === 0 && chunk.length - at >= numberBytes) {
        this.#number(chunk.readUIntLE(at + 1, numberBytes - 1));
        at += numberBytes;
      } else {
        this.#partly.push(chunk[at] ?? 0);
        at += 1;
        if (this.#partly.length === numberBytes) {
          this.#number(Buffer.from(this.#partly).readUIntLE(1, numberBytes - 1));
          this.#partly = [];
        }
      }
      if (this.#hasEnded) this.#leaveGap({ end: this.#passed + at, at: at - newFrom });
    }
    this.#passed += chunk.length;
  }

  #leaveGap({ end, at }: { end: number; at: number }): void {
    this.#hasEnded = false;
    const length = end + this.#gapBytes - this.#blockAt;
    const wanted = length * (this.#factors.get(this.#id) ?? 0);
    const bytes = at < 0 ? 0 : Math.min(wanted, mostGapBytes - this.#gapBytes);
    if (bytes <= 0) return;
    this.#gaps.push({ at, bytes });
    this.#gapBytes += bytes;
  }

  #begin(type: number): void {
    this.#areObjects = type === blockTypes.largeObjects;
    if (this.#areObjects || type === blockTypes.data) this.#state = 'id';
    else this.#problem = `its data have an unknown type (${type})`;
  }

  #number(value: number): void {
    if (this.#state === 'id') {
      this.#places.set(value, this.#blockAt);
      this.#id = value;
      this.#state = this.#areObjects ? 'object' : 'length';
    } else if (this.#state === 'object') {
      this.#state = value === 0 ? 'type' : 'objectLength';
    } else if (value > 0) {
      this.#skip = value;
    } else {
      this.#state = this.#areObjects ? 'object' : 'type';
      this.#hasEnded = !this.#areObjects;
    }
  }
}
