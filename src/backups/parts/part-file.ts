import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { sweepBuffers } from '../../sweep-buffers.ts';

/**
 * A file of a backup set while it is written: 0600, hashed on the way, on disk (fsync) before the stream finishes.
 * The file must not exist yet.
 */
export class PartFile extends Writable {
  readonly #hash = createHash('sha256');
  readonly #path: string;
  readonly #sweep = sweepBuffers();
  #handle: FileHandle | undefined;
  #bytes = 0;

  constructor(path: string) {
    super({ highWaterMark: 1024 * 1024 });
    this.#path = path;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Of the whole file, once the stream has finished. */
  sha256(): string {
    return this.#hash.copy().digest('hex');
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
    this.#sync().then(() => callback(), callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const handle = this.#handle;
    this.#handle = undefined;
    if (handle === undefined) callback(error);
    else handle.close().then(() => callback(error), callback);
  }

  async #append(chunks: Buffer[]): Promise<void> {
    let length = 0;
    for (const chunk of chunks) {
      this.#hash.update(chunk);
      length += chunk.length;
    }
    this.#bytes += length;
    this.#sweep(length);
    const written = (await this.#handle?.writev(chunks))?.bytesWritten ?? length;
    // FileHandle.writeFile goes on after a short write, which writev() does not; a full disk says so only then.
    if (written < length) await this.#handle?.writeFile(Buffer.concat(chunks).subarray(written));
  }

  async #sync(): Promise<void> {
    await this.#handle?.sync();
  }
}
