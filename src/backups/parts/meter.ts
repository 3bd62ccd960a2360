import { createHash, type Hash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { sweepBuffers } from '../../sweep-buffers.ts';

/** Passes bytes through in constant memory, counts them, and hashes them where asked to. */
export class Meter extends Transform {
  readonly #hash: Hash | undefined;
  readonly #sweep = sweepBuffers();
  bytes = 0;

  constructor(options: { algorithm?: 'sha256' } = {}) {
    super({ highWaterMark: 1024 * 1024 });
    this.#hash = options.algorithm === undefined ? undefined : createHash(options.algorithm);
  }

  /** In hexadecimal, once everything has passed. */
  digest(): string {
    return this.#hash?.copy().digest('hex') ?? '';
  }

  override _transform(chunk: Buffer, _encoding: string, callback: TransformCallback): void {
    this.bytes += chunk.length;
    this.#sweep(chunk.length);
    this.#hash?.update(chunk);
    callback(null, chunk);
  }
}
