/**
 * How many tasks to claim at once: as many as can start within a small part of the lease, learned from how fast the
 * last batch was started. Long tasks are claimed one free slot at a time, trivial ones hundreds in a statement; a
 * worker that dies never holds more than it would have started in that time.
 */
export class BatchSize {
  readonly #horizonMs: number;
  #learned: number;

  constructor(options: { leaseMs: number }) {
    this.#horizonMs = Math.min(500, options.leaseMs / 30);
    this.#learned = 0;
  }

  /** @param freeSlots tasks that can start this instant; never fewer are claimed. */
  next(freeSlots: number): number {
    return Math.max(freeSlots, this.#learned);
  }

  /** Learns from a batch of `count` tasks whose last one was started `elapsedMs` after the claim was answered. */
  learn(count: number, elapsedMs: number): void {
    const fits = Math.floor((count / Math.max(elapsedMs, 0.5)) * this.#horizonMs);
    // Grows in steps: a few quick tasks say little about the next thousand.
    this.#learned = Math.min(fits, count * 8, maxBatch);
  }
}

const maxBatch = 500;
