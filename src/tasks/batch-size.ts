/**
 * How many tasks to claim at once: half of what will end within a small part of the lease, learned from how long the
 * last batch took from its claim to its last end. Half, since while one batch is worked off another is claimed ahead, so
 * that neither the worker nor the server waits. Long tasks are claimed one free slot at a time, and so are all where the
 * database is slow to answer; trivial ones hundreds in a statement. A worker that dies never holds more than it would have
 * worked off in that time.
 */
export class BatchSize {
  /** The part of the lease that the batches held at once may fill. */
  readonly horizonMs: number;
  #learned = 0;
  #least: number;

  /** @param options.least to begin with, where tasks are known to be quick. */
  constructor(options: { leaseMs: number; least?: number }) {
    this.horizonMs = Math.min(500, options.leaseMs / 30);
    this.#learned = options.least ?? 0;
    this.#least = this.#learned;
  }

  /** @param freeSlots tasks that can start this instant; never fewer are claimed. */
  next(freeSlots: number): number {
    return Math.max(freeSlots, this.#learned);
  }

  /** Whether another batch may be claimed while `waiting` tasks of the last one wait for a slot. */
  allowsAnother({ waiting, concurrency }: { waiting: number; concurrency: number }): boolean {
    return this.#learned > concurrency && waiting <= this.#learned;
  }

  /** Learns from a batch of `count` tasks whose last one ended `elapsedMs` after their claim was sent. */
  learn(count: number, elapsedMs: number): void {
    const fits = Math.floor(((count / Math.max(elapsedMs, 0.5)) * this.horizonMs) / 2);
    // Grows in steps: a few quick tasks say little about the next thousand.
    this.#learned = Math.max(Math.min(fits, count * 8, maxBatch), this.#least);
  }

  /** The last batch was too large: back to one free slot at a time. */
  forget(): void {
    this.#learned = 0;
    this.#least = 0;
  }
}

const maxBatch = 500;
