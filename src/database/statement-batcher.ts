import { toError } from '../errors.ts';
import { isConnectionLoss } from './translate-database-error.ts';

export interface StatementBatcherOptions<Item, Result> {
  /** One statement for all items; one result an item, in their order. */
  execute(items: readonly Item[]): Promise<readonly Result[]>;
  /** At most this many in one statement. */
  maxBatch: number;
  /** What somebody waits for idly; the others wait a moment for it, so that there are few statements. All unless given. */
  isUrgent?: (item: Item) => boolean;
  /** So many urgent ones wait for no other; fewer wait a millisecond, as long as they would for half a statement. 1 unless given. */
  urgentTogether?: number;
}

/** How long what is not urgent waits for something that is, and how many of it wait. */
const gatherMs = 4;
const gathered = 20;
const urgentGatherMs = 1;

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
  #isWanted = false;
  #urgent = 0;
  #gathering: NodeJS.Timeout | undefined;

  constructor(options: StatementBatcherOptions<Item, Result>) {
    this.#options = options;
  }

  /** @throws what the statement threw. */
  run(item: Item): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const { isUrgent, urgentTogether = 1 } = this.#options;
    this.#pending.push({ item, resolve, reject });
    const isItUrgent = isUrgent === undefined || isUrgent(item);
    if (isItUrgent) this.#urgent += 1;
    if (this.#urgent >= urgentTogether || this.#pending.length >= gathered) this.#start();
    else if (isItUrgent && this.#urgent === 1) this.#startIn(urgentGatherMs);
    else if (this.#gathering === undefined) this.#startIn(gatherMs);
    return promise;
  }

  #startIn(ms: number): void {
    clearTimeout(this.#gathering);
    this.#gathering = setTimeout(() => this.#start(), ms);
  }

  /** What comes in one turn of the event loop belongs into one statement. */
  #start(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#isWanted = true;
    if (this.#isBusy) return;
    this.#isBusy = true;
    setImmediate(() => void this.#drain());
  }

  async #drain(): Promise<void> {
    while (this.#isWanted) {
      const batch = this.#pending.splice(0, this.#options.maxBatch);
      this.#isWanted = this.#pending.length > 0;
      this.#urgent = 0;
      clearTimeout(this.#gathering);
      this.#gathering = undefined;
      await this.#write(batch);
    }
    this.#isBusy = false;
  }

  async #write(batch: readonly Pending<Item, Result>[]): Promise<void> {
    const failure = await this.#execute(batch);
    if (failure === undefined) return;
    if (batch.length === 1 || isConnectionLoss(failure)) {
      for (const { reject } of batch) reject(failure);
      return;
    }
    for (const single of batch) {
      const error = await this.#execute([single]);
      if (error !== undefined) single.reject(error);
    }
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
