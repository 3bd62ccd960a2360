import { type FileHandle, open } from 'node:fs/promises';
import { Writable } from 'node:stream';
import type { ArchivePlaces } from './archive-places.ts';

/** The file that an archive is unpacked into (0600), with the gaps that `ArchivePlaces` leaves in it. Must not exist yet. */
export class ArchiveFile extends Writable {
  readonly #path: string;
  readonly #places: ArchivePlaces;
  #handle: FileHandle | undefined;
  #at = 0;

  constructor(path: string, places: ArchivePlaces) {
    super({ highWaterMark: 4 * 1024 * 1024 });
    this.#path = path;
    this.#places = places;
  }

  override _construct(callback: (error?: Error | null) => void): void {
    open(this.#path, 'wx', 0o600).then((handle) => {
      this.#handle = handle;
      callback();
    }, callback);
  }

  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error | null) => void): void {
    this.#append([chunk]).then(() => callback(), callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.#append(chunks.map(({ chunk }) => chunk)).then(() => callback(), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    // A gap at the end is none before the file reaches so far.
    (this.#handle?.truncate(this.#at) ?? Promise.resolve()).then(() => callback(), callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const handle = this.#handle;
    this.#handle = undefined;
    if (handle === undefined) callback(error);
    else handle.close().then(() => callback(error), callback);
  }

  async #append(chunks: Buffer[]): Promise<void> {
    let together: Buffer[] = [];
    for (const chunk of chunks) {
      let from = 0;
      for (const gap of this.#places.note(chunk)) {
        await this.#put([...together, chunk.subarray(from, gap.at)]);
        together = [];
        from = gap.at;
        this.#at += gap.bytes;
      }
      together.push(chunk.subarray(from));
    }
    await this.#put(together);
  }

  async #put(chunks: Buffer[]): Promise<void> {
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    let written = (await this.#handle?.writev(chunks, this.#at))?.bytesWritten ?? length;
    // writev() does not go on after a short write; a full disk says so only then.
    const rest = written < length ? Buffer.concat(chunks) : Buffer.alloc(0);
    while (written < length) {
      const more = await this.#handle?.write(rest, written, length - written, this.#at + written);
      written += more?.bytesWritten ?? length;
    }
    this.#at += length;
  }
}
