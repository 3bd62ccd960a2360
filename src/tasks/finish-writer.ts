import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Database } from '../database/tables.ts';
import { isConnectionLoss } from '../database/translate-database-error.ts';
import type { ClaimedTask } from './claim-due-tasks.ts';
import { type AttemptEnding, finishAttempts } from './finish-attempts.ts';
import { lesserEndings } from './lesser-endings.ts';
import type { TaskState } from './states.ts';

export interface WrittenEnding {
  task: ClaimedTask;
  /** What was written: not what was given where the server refused that. */
  ending: AttemptEnding;
  /** Where the row is now; null when the lease was lost; undefined when it could not be written at all. */
  state: TaskState | null | undefined;
}

interface Pending {
  task: ClaimedTask;
  ending: AttemptEnding;
  resolve(written: WrittenEnding): void;
}

/** By token; or the error of a statement that would be refused again; or the database could not be reached. */
type Finished = Map<string, TaskState | null> | { refusal: unknown } | 'unreachable';

const maxBatch = 500;
/** Each statement waits for the server's disk, and everything else of this session behind it. */
const gatherMs = 100;
const gathered = 200;
/** In one statement, unless a single ending has more: the next heartbeat waits for it. */
const maxFollowUps = 1000;

/**
 * Writes endings as they come, those that gather while a statement is under way together in the next one. An ending
 * counts only when the row says so: `write` resolves after the acknowledgement. A lost connection is tried again until
 * the lease would have ended anyway; then somebody else decides about the task, and that is reported.
 */
export class FinishWriter {
  readonly #options: {
    db: Kysely<Database>;
    clock: Clock;
    patienceMs: number;
    onError(error: unknown): void;
  };
  readonly #pending: Pending[] = [];
  readonly #brokenKinds: Set<string>;
  #isWriting = false;
  #gathering: NodeJS.Timeout | undefined;

  constructor(options: {
    db: Kysely<Database>;
    clock: Clock;
    /** How long a lost connection is worked on: what is left of a lease, so its whole length at most. */
    patienceMs: number;
    /** As at the start of the worker; those that break meanwhile are added. */
    brokenKinds?: Iterable<string> | undefined;
    onError(error: unknown): void;
  }) {
    this.#options = options;
    this.#brokenKinds = new Set(options.brokenKinds);
  }

  /** @param options.mayGather the ending may wait a moment for others, since many are under way. */
  write(
    task: ClaimedTask,
    ending: AttemptEnding,
    { mayGather }: { mayGather: boolean },
  ): Promise<WrittenEnding> {
    const { promise, resolve } = Promise.withResolvers<WrittenEnding>();
    this.#pending.push({ task, ending, resolve });
    if (mayGather && this.#pending.length < gathered) {
      this.#gathering ??= setTimeout(() => this.#start(), gatherMs);
    } else this.#start();
    return promise;
  }

  /** Endings of one turn of the event loop belong into one statement. */
  #start(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    if (this.#isWriting) return;
    this.#isWriting = true;
    setImmediate(() => void this.#drain());
  }

  async #drain(): Promise<void> {
    while (this.#pending.length > 0 && this.#gathering === undefined) {
      const batch = this.#pending.splice(0, sizeOfBatch(this.#pending));
      const finished = await this.#finish(batch);
      if (isRefused(finished)) for (const single of batch) await this.#finishSingle(single);
      else this.#settle(batch, finished);
    }
    this.#isWriting = false;
  }

  /** One ending that cannot be stored must not take the others with it, nor be lost. */
  async #finishSingle(single: Pending): Promise<void> {
    let pending = single;
    let finished = await this.#finish([pending]);
    for (const lesser of lesserEndings(single.ending)) {
      if (!isRefused(finished)) break;
      pending = { ...single, ending: lesser(finished.refusal) };
      finished = await this.#finish([pending]);
    }
    this.#settle([pending], finished);
  }

  #settle(batch: readonly Pending[], finished: Finished): void {
    for (const { task, ending, resolve } of batch) {
      resolve({ task, ending, state: finished instanceof Map ? finished.get(task.token) : undefined });
    }
  }

  async #finish(batch: readonly Pending[]): Promise<Finished> {
    const { db, clock, patienceMs } = this.#options;
    const giveUpAtMs = clock.monotonicMs() + patienceMs;
    for (const { task, ending } of batch) {
      if (ending.state === 'failed' || ending.state === 'held') this.#brokenKinds.add(task.kind);
    }
    for (let tries = 0; ; tries++) {
      try {
        const finished = await finishAttempts({ db, endings: batch, brokenKinds: this.#brokenKinds });
        return new Map(finished.map(({ token, state }) => [token, state]));
      } catch (error) {
        this.#options.onError(error);
        const pauseMs = Math.min(100 * 2 ** tries, 2000);
        if (!isWorthRepeating(error)) return { refusal: error };
        if (clock.monotonicMs() + pauseMs > giveUpAtMs) return 'unreachable';
        await delay(pauseMs);
      }
    }
  }
}

function isRefused(finished: Finished): finished is { refusal: unknown } {
  return typeof finished === 'object' && 'refusal' in finished;
}

function sizeOfBatch(pending: readonly Pending[]): number {
  let followUps = 0;
  const end = pending.slice(0, maxBatch).findIndex(({ ending }, index) => {
    followUps += ending.followUps.length;
    return index > 0 && followUps > maxFollowUps;
  });
  return end === -1 ? maxBatch : end;
}

function isWorthRepeating(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return (
    isConnectionLoss(error) || code === '40001' || code === '40P01' || code === '55P03' || code === '57014'
  );
}
