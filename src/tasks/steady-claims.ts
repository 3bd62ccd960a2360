import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Database } from '../database/tables.ts';
import { isConnectionLoss } from '../database/translate-database-error.ts';
import type { ClaimedTask } from './claim-due-tasks.ts';
import type { ClaimSource } from './claim-source.ts';
import { returnStrayClaims } from './return-stray-claims.ts';

const patienceMs = 20_000;

export interface ReconnectOptions {
  db: Kysely<Database>;
  clock: Clock;
  owner: string;
  /** Of every lease that this worker knows it holds; for what was just claimed, from `take` on. */
  knownTokens: () => string[];
  /** What becomes of tasks that such a claim took. */
  strays: 'waiting' | 'cancelled';
  signal: AbortSignal;
}

/**
 * The claims of one worker, made to survive a lost connection: each is tried again on a new session for a bounded time,
 * after giving back what a claim without an answer may have taken.
 *
 * One claim at a time for all lanes: what runs under this worker's name and is not known to it is taken for such a stray,
 * so no other claim may be under way while strays are looked for. Its tasks would be given back while they run, and run
 * twice.
 */
export class SteadyClaims {
  readonly #options: ReconnectOptions;
  readonly #answered = new Set<string>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ReconnectOptions) {
    this.#options = options;
  }

  /** What it answers is this worker's from then on; `take` tells that `knownTokens` has it. */
  over(claim: ClaimSource): ClaimSource {
    return async (...given) => {
      const claimed = this.#turn.then(() => this.#claim(claim, given));
      this.#turn = claimed.catch(() => undefined);
      return await claimed;
    };
  }

  /** `knownTokens` has these now. */
  take(tasks: readonly ClaimedTask[]): void {
    for (const { token } of tasks) this.#answered.delete(token);
  }

  async #claim(claim: ClaimSource, given: Parameters<ClaimSource>): Promise<ClaimedTask[]> {
    const { clock, signal } = this.#options;
    const giveUpAtMs = clock.monotonicMs() + patienceMs;
    let isUnsure = false;
    for (let tries = 0; ; tries++) {
      try {
        if (isUnsure) await this.#returnStrays();
        isUnsure = false;
        const tasks = signal.aborted ? [] : await claim(...given);
        for (const { token } of tasks) this.#answered.add(token);
        return tasks;
      } catch (error) {
        if (!isConnectionLoss(error)) throw error;
        isUnsure = true;
        const pauseMs = Math.min(100 * 2 ** tries, 2000);
        if (clock.monotonicMs() + pauseMs > giveUpAtMs) throw error;
        await delay(pauseMs);
      }
    }
  }

  async #returnStrays(): Promise<void> {
    const { db, owner, strays, knownTokens } = this.#options;
    await returnStrayClaims({ db, owner, knownTokens: [...knownTokens(), ...this.#answered], to: strays });
  }
}
