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

/**
 * Watches an archive of the custom format pass by and notes where the data of each table begin.
 *
 * pg_dump leaves these places open when it writes into a pipe, as it does for a backup set. Without them each worker of
 * a parallel `pg_restore` searches the file from its beginning, one seek a row, and the biggest table is not begun
 * first. With them written in, the archive is as one that pg_dump wrote to a file.
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

  note(chunk: Buffer): void {
    if (this.#state === 'toc') this.#gather(chunk);
    else this.#walk(chunk, 0);
  }

  /** After the last byte: why the archive is not whole; undefined where it is, or is of a format not known here. */
  problem(): string | undefined {
    if (this.#state === 'toc') this.#readToc();
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
    if (this.#beginningBytes >= this.#tryAtBytes) this.#readToc();
  }

  #readToc(): void {
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
    this.#state = this.#toc?.head.format === 'custom' ? 'type' : 'unknown';
    this.#walk(bytes, this.#toc?.endsAt ?? 0);
  }

  #walk(chunk: Buffer, from: number): void {
    const numberBytes = 1 + (this.#toc?.intSize ?? 4);
    let at = from;
    while (at < chunk.length && this.#isWalking) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at);
        at += step;
        this.#skip -= step;
      } else if (this.#state === 'type') {
        this.#blockAt = this.#passed + at;
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
    }
    this.#passed += chunk.length;
  }

  #begin(type: number): void {
    this.#areObjects = type === blockTypes.largeObjects;
    if (this.#areObjects || type === blockTypes.data) this.#state = 'id';
    else this.#problem = `its data have an unknown type (${type})`;
  }

  #number(value: number): void {
    if (this.#state === 'id') {
      this.#places.set(value, this.#blockAt);
      this.#state = this.#areObjects ? 'object' : 'length';
    } else if (this.#state === 'object') {
      this.#state = value === 0 ? 'type' : 'objectLength';
    } else if (value > 0) {
      this.#skip = value;
    } else {
      this.#state = this.#areObjects ? 'object' : 'type';
    }
  }
}
