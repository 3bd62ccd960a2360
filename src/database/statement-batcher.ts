import { toError } from '../errors.ts';
import { isConnectionLoss } from './translate-database-error.ts';

export interface StatementBatcherOptions<Item, Result> {
  /** One statement for all items; one result an item, in their order. */
  execute(items: readonly Item[]): Promise<readonly Result[]>;
  /** At most this many in one statement. */
  maxBatch: number;
}

interface Pending<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: Error): void;
}

/**
 * Group commit: what comes while a statement is under way goes together into the next one, so that many small writes
 * cost one round trip and one flush of the server's log. A caller gets its own result, after the acknowledgement.
 *
 * A statement that is refused is tried again item by item, so that one bad item fails alone.
 */
export class StatementBatcher<Item, Result> {
  readonly #options: StatementBatcherOptions<Item, Result>;
  readonly #pending: Pending<Item, Result>[] = [];
  #isBusy = false;

  constructor(options: StatementBatcherOptions<Item, Result>) {
    this.#options = options;
  }

  /** @throws what the statement threw. */
  run(item: Item): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#pending.push({ item, resolve, reject });
    if (!this.#isBusy) {
      this.#isBusy = true;
      setImmediate(() => void this.#drain());
    }
    return promise;
  }

  async #drain(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0, this.#options.maxBatch);
      const failure = await this.#execute(batch);
      if (failure === undefined) continue;
      if (batch.length === 1 || isConnectionLoss(failure)) {
        for (const { reject } of batch) reject(failure);
        continue;
      }
      for (const single of batch) {
        const error = await this.#execute([single]);
        if (error !== undefined) single.reject(error);
      }
    }
    this.#isBusy = false;
  }

  async #execute(batch: readonly Pending<Item, Result>[]): Promise<Error | undefined> {
    try {
      const results = await this.#options.execute(batch.map(({ item }) => item));
      for (const [index, { resolve }] of batch.entries()) {
        // One result an item: what `execute` promises.
        resolve(results[index] as Result);
      }
      return undefined;
    } catch (error) {
      return toError(error);
    }
  }
}
