import { Readable } from 'node:stream';
import { toError } from '../../errors.ts';

const chunkBytes = 64 * 1024;

/**
 * The bytes of a message as a stream that keeps its last chunk back until `beforeEnd` has resolved: a mail program acts
 * on a message only once it has seen its end, so what `beforeEnd` records is durable before anything can be delivered.
 */
export class GatedBody extends Readable {
  /** True from the moment the last bytes are given away: from here on, no reply means nobody knows. */
  hasReleasedEnd = false;
  /** What `beforeEnd` failed with. */
  failure: Error | undefined;
  readonly #raw: Buffer;
  readonly #beforeEnd: () => Promise<void>;
  #offset = 0;
  #gate: Promise<void> | undefined;

  constructor(raw: Buffer, beforeEnd: () => Promise<void>) {
    super({ highWaterMark: chunkBytes });
    this.#raw = raw;
    this.#beforeEnd = beforeEnd;
  }

  override _read(): void {
    const chunk = this.#raw.subarray(this.#offset, this.#offset + chunkBytes);
    this.#offset += chunk.length;
    if (this.#offset < this.#raw.length) {
      this.push(chunk);
      return;
    }
    this.#gate = this.#beforeEnd().then(
      () => {
        // A connection that broke meanwhile has destroyed this stream: then the end stays here.
        if (this.destroyed) return;
        this.hasReleasedEnd = true;
        this.push(chunk);
        this.push(null);
      },
      (thrown: unknown) => {
        this.failure = toError(thrown);
        this.destroy(this.failure);
      },
    );
  }

  /** Resolves when `beforeEnd` is not under way (any more), however it ended. */
  async gateSettled(): Promise<void> {
    await this.#gate;
  }
}
