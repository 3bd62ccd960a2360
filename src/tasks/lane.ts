import type { Clock } from '../clock.ts';
import { BatchSize } from './batch-size.ts';
import type { ClaimedTask } from './claim-due-tasks.ts';
import type { ClaimSource } from './claim-source.ts';

/** A task that a worker holds, waiting for a slot or running. */
export interface Held {
  task: ClaimedTask;
  controller: AbortController;
  batch: Batch;
}

/** Tasks claimed together. */
export interface Batch {
  count: number;
  /** How many of them have not ended yet. */
  left: number;
  sentAtMs: number;
  answeredAtMs: number;
}

/** Where a lane's tasks come from, and how many of them run at a time. */
export interface LaneOptions {
  claim: ClaimSource;
  concurrency: number;
  /** Its tasks wait for others most of the time, and many of them run at once. */
  isWide?: boolean;
}

/**
 * Some of the kinds a worker runs, with slots of their own: what waits in one lane keeps nothing in another from
 * starting. Messages wait for their server and not for a processor, so many are under way where few backups should be.
 */
export class Lane {
  readonly concurrency: number;
  readonly claim: ClaimSource;
  readonly batch: BatchSize;
  readonly waiting: Held[] = [];
  readonly active = new Set<Held>();
  isClaiming = false;
  /** The last claim found nothing that could start. */
  isExhausted = false;
  claimedAtMs = 0;
  patience: NodeJS.Timeout | undefined;
  readonly #clock: Clock;
  readonly #isWide: boolean;

  constructor({
    claim,
    concurrency,
    isWide = false,
    leaseMs,
    clock,
  }: LaneOptions & { leaseMs: number; clock: Clock }) {
    this.claim = claim;
    this.concurrency = concurrency;
    this.batch = new BatchSize({ leaseMs, least: isWide ? concurrency * 2 : 0 });
    this.#clock = clock;
    this.#isWide = isWide;
  }

  /** Endings may wait a moment for others: what runs here is many, and none of it waits for an ending. */
  get mayGather(): boolean {
    return this.#isWide && this.active.size > 0;
  }

  get isIdle(): boolean {
    return this.active.size === 0 && this.waiting.length === 0 && !this.isClaiming;
  }

  /** Room for tasks that start at once, or for a batch claimed ahead. */
  get hasRoom(): boolean {
    const waiting = this.waiting.length;
    const { concurrency } = this;
    return waiting === 0 ? this.freeSlots > 0 : this.batch.allowsAnother({ waiting, concurrency });
  }

  /** Slots that a task claimed now could take at once. */
  get freeSlots(): number {
    return Math.max(this.concurrency - this.active.size - this.waiting.length, 0);
  }

  /** How much longer a task that was claimed ahead may wait for a slot. */
  get patienceMs(): number {
    const waitedMs = this.#clock.monotonicMs() - (this.waiting[0]?.batch.answeredAtMs ?? 0);
    return Math.max(this.batch.horizonMs * 4 - waitedMs, 0);
  }

  /** A batch has told how fast tasks are when its last one has ended. */
  learnFrom(batch: Batch): void {
    batch.left -= 1;
    if (batch.left > 0) return;
    this.batch.learn(batch.count, this.#clock.monotonicMs() - batch.sentAtMs);
  }
}
