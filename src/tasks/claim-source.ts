import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Database } from '../database/tables.ts';
import { isConnectionLoss } from '../database/translate-database-error.ts';
import type { ClaimedTask } from './claim-due-tasks.ts';
import { returnStrayClaims } from './return-stray-claims.ts';

/** Where a worker gets tasks from; an empty answer means that nothing can be claimed now. */
export type ClaimSource = (
  /** At most this many. */
  count: number,
  /** How many of them can start this instant. */
  startable: number,
  /** Kinds that were halted: none of these. */
  exceptKinds: readonly string[],
) => Promise<ClaimedTask[]>;

const patienceMs = 20_000;

/**
 * Makes a claim survive a lost connection: tries again on a new session for a bounded time, after giving back what a
 * claim without an answer may have taken.
 */
export function claimAcrossReconnects(options: {
  claim: ClaimSource;
  db: Kysely<Database>;
  clock: Clock;
  owner: string;
  knownTokens: () => string[];
  /** What becomes of tasks that such a claim took. */
  strays: 'waiting' | 'cancelled';
  signal: AbortSignal;
}): ClaimSource {
  const { db, clock, owner, signal } = options;
  return async (count, startable, exceptKinds) => {
    const giveUpAtMs = clock.monotonicMs() + patienceMs;
    let isUnsure = false;
    for (let tries = 0; ; tries++) {
      try {
        if (isUnsure)
          await returnStrayClaims({ db, owner, knownTokens: options.knownTokens(), to: options.strays });
        isUnsure = false;
        return signal.aborted ? [] : await options.claim(count, startable, exceptKinds);
      } catch (error) {
        if (!isConnectionLoss(error)) throw error;
        isUnsure = true;
        const pauseMs = Math.min(100 * 2 ** tries, 2000);
        if (clock.monotonicMs() + pauseMs > giveUpAtMs) throw error;
        await delay(pauseMs);
      }
    }
  };
}
