import { once } from 'node:events';
import { Writable } from 'node:stream';

/**
 * Writes everything into several streams, as fast as the slowest takes it. One that was closed is passed over: whoever
 * reads it knows why.
 */
export class FanOut extends Writable {
  readonly #targets: readonly Writable[];

  constructor(targets: readonly Writable[]) {
    super({ highWaterMark: 1024 * 1024 });
    this.#targets = targets;
  }

  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error | null) => void): void {
    const full = this.#targets.filter((target) => !target.destroyed && !target.write(chunk));
    if (full.length === 0) callback();
    else Promise.all(full.map(drained)).then(() => callback(), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    for (const target of this.#targets) if (!target.destroyed) target.end();
    callback();
  }
}

async function drained(target: Writable): Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  await Promise.race([once(target, 'drain', { signal }), once(target, 'close', { signal })]);
  stop.abort();
}
