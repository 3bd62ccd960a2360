import type { Writable } from 'node:stream';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Joins two programs that `runTool` runs: `stdout` of the one and `input` of the other. What the first writes goes to the
 * second by the operating system alone and is never seen here, which costs a fraction of what passing it on does.
 *
 * What comes out at the end of such a chain counts as progress of every program before it.
 */
export class DirectPipe {
  readonly #reader = Promise.withResolvers<Writable>();
  readonly #readerEnded = Promise.withResolvers<void>();
  #onProgress: () => void = () => {};

  constructor() {
    this.#reader.promise.catch(() => undefined); // there may be nobody who waits for it
  }

  /** The program that reads was started; `stdin` is our end of its standard input. */
  attachReader(stdin: Writable): void {
    this.#reader.resolve(stdin);
  }

  noteReaderEnded(): void {
    this.#readerEnded.resolve();
  }

  /** Waits for the program that reads; `onProgress` is called whenever something comes out at the end of the chain. */
  async attachWriter(onProgress: () => void): Promise<Writable> {
    this.#onProgress = onProgress;
    return await this.#reader.promise;
  }

  /** Whose reader dies, dies too: before it tells of its own failure, the reader is given the time to say why. */
  async afterReader(): Promise<void> {
    await Promise.race([this.#readerEnded.promise, delay(1000, undefined, { ref: false })]);
    await nextTurn();
  }

  noteProgress(): void {
    this.#onProgress();
  }

  /** Ends the wait of whoever has nobody at the other end yet; programs that are joined stay so. */
  destroy(): void {
    this.#reader.promise.then(
      (stdin) => stdin.destroy(),
      () => undefined,
    );
    this.#reader.reject(new Error('The other program was not started.'));
    this.#readerEnded.resolve();
    // A reader that comes later finds its input closed.
    this.attachReader = (stdin) => stdin.destroy();
  }
}
