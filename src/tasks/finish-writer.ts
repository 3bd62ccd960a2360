import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Database } from '../database/tables.ts';
import { isConnectionLoss } from '../database/translate-database-error.ts';
import type { ClaimedTask } from './claim-due-tasks.ts';
import { type AttemptEnding, finishAttempts } from './finish-attempts.ts';
import type { TaskState } from './states.ts';

export interface WrittenEnding {
  task: ClaimedTask;
  ending: AttemptEnding;
  /** Where the row is now; null when the lease was lost; undefined when it could not be written at all. */
  state: TaskState | null | undefined;
}

interface Pending {
  task: ClaimedTask;
  ending: AttemptEnding;
  resolve(written: WrittenEnding): void;
}

const maxBatch = 500;

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
  #isWriting = false;

  constructor(options: {
    db: Kysely<Database>;
    clock: Clock;
    /** How long a lost connection is worked on: what is left of a lease, so its whole length at most. */
    patienceMs: number;
    onError(error: unknown): void;
  }) {
    this.#options = options;
  }

  write(task: ClaimedTask, ending: AttemptEnding): Promise<WrittenEnding> {
    const { promise, resolve } = Promise.withResolvers<WrittenEnding>();
    this.#pending.push({ task, ending, resolve });
    if (!this.#isWriting) {
      this.#isWriting = true;
      // Endings of one turn of the event loop belong into one statement.
      setImmediate(() => void this.#drain());
    }
    return promise;
  }

  async #drain(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0, maxBatch);
      const states = await this.#finish(batch);
      if (states === 'refused') await this.#finishSingly(batch);
      else this.#settle(batch, states);
    }
    this.#isWriting = false;
  }

  /** One ending that cannot be stored must not take the others with it, nor be lost: how it ended matters most. */
  async #finishSingly(batch: readonly Pending[]): Promise<void> {
    for (const single of batch) {
      const states = await this.#finish([single]);
      const bare = { ...single, ending: withoutExtras(single.ending) };
      this.#settle([single], states === 'refused' ? await this.#finish([bare]) : states);
    }
  }

  #settle(
    batch: readonly Pending[],
    states: Map<string, TaskState | null> | 'refused' | 'unreachable',
  ): void {
    for (const { task, ending, resolve } of batch) {
      resolve({ task, ending, state: states instanceof Map ? states.get(task.token) : undefined });
    }
  }

  async #finish(
    batch: readonly Pending[],
  ): Promise<Map<string, TaskState | null> | 'refused' | 'unreachable'> {
    const { db, clock, patienceMs } = this.#options;
    const giveUpAtMs = clock.monotonicMs() + patienceMs;
    for (let tries = 0; ; tries++) {
      try {
        const finished = await finishAttempts({ db, endings: batch });
        return new Map(finished.map(({ token, state }) => [token, state]));
      } catch (error) {
        this.#options.onError(error);
        const pauseMs = Math.min(100 * 2 ** tries, 2000);
        if (!isWorthRepeating(error)) return 'refused';
        if (clock.monotonicMs() + pauseMs > giveUpAtMs) return 'unreachable';
        await delay(pauseMs);
      }
    }
  }
}

/** Leaves out what the server, or JSON, may have refused: evidence that is no JSON, a number out of range. */
function withoutExtras(ending: AttemptEnding): AttemptEnding {
  return { ...ending, exitCode: null, evidence: null, outputTail: null };
}

function isWorthRepeating(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return (
    isConnectionLoss(error) || code === '40001' || code === '40P01' || code === '55P03' || code === '57014'
  );
}
