import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Database } from '../database/tables.ts';
import { renewLeases } from './renew-leases.ts';
import { AttemptStopped } from './stop-reason.ts';

interface Held {
  id: number;
  /** Own monotonic time until which the lease certainly lasts: counted from before the claim was sent. */
  safeUntilMs: number;
  controller: AbortController;
}

/** Share of the lease that is left unused, for clocks that run unequally. */
const safety = 0.9;

/**
 * Keeps the leases of all tasks this worker holds: renews them together at a third of their life, aborts those whose
 * cancel was requested or whose lease is lost, and, when the database cannot be reached, stops the work before the
 * lease ends, since another worker may then start it.
 */
export class LeaseKeeper implements Disposable {
  readonly #options: { db: Kysely<Database>; leaseMs: number; clock: Clock; onError(error: unknown): void };
  readonly #held = new Map<string, Held>();
  #timer: NodeJS.Timeout | undefined;
  #isRenewing = false;

  constructor(options: {
    db: Kysely<Database>;
    leaseMs: number;
    clock: Clock;
    onError(error: unknown): void;
  }) {
    this.#options = options;
  }

  /** @param sentAtMs monotonic time before the statement that took the lease was sent. */
  hold(lease: { id: number; token: string; sentAtMs: number; controller: AbortController }): void {
    const safeUntilMs = lease.sentAtMs + this.#options.leaseMs * safety;
    this.#held.set(lease.token, { id: lease.id, safeUntilMs, controller: lease.controller });
    this.#timer ??= setInterval(() => void this.#beat(), this.#options.leaseMs / 3);
  }

  release(token: string): void {
    this.#held.delete(token);
    if (this.#held.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Tokens of every lease this worker knows it holds. */
  tokens(): string[] {
    return [...this.#held.keys()];
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#held.clear();
  }

  async #beat(): Promise<void> {
    if (this.#isRenewing) return this.#stopUnsafe();
    this.#isRenewing = true;
    const sentAtMs = this.#options.clock.monotonicMs();
    const tokens = [...this.#held.keys()];
    try {
      const leases = [...this.#held].map(([token, { id }]) => ({ id, token }));
      const renewed = await renewLeases({ db: this.#options.db, leases, leaseMs: this.#options.leaseMs });
      this.#apply(tokens, renewed, sentAtMs + this.#options.leaseMs * safety);
    } catch (error) {
      this.#options.onError(error);
    } finally {
      this.#isRenewing = false;
      this.#stopUnsafe();
    }
  }

  #apply(
    tokens: readonly string[],
    renewed: readonly { token: string; isCancelRequested: boolean }[],
    safeUntilMs: number,
  ): void {
    const answers = new Map(renewed.map((lease) => [lease.token, lease]));
    for (const token of tokens) {
      const held = this.#held.get(token);
      if (held === undefined) continue; // ended while the statement was under way
      const answer = answers.get(token);
      if (answer === undefined) {
        held.controller.abort(new AttemptStopped('lease-lost', 'another worker took the task over'));
        continue;
      }
      held.safeUntilMs = safeUntilMs;
      if (answer.isCancelRequested) {
        held.controller.abort(new AttemptStopped('cancel-requested', 'cancel was requested'));
      }
    }
  }

  #stopUnsafe(): void {
    const nextBeatMs = this.#options.clock.monotonicMs() + this.#options.leaseMs / 6;
    for (const held of this.#held.values()) {
      if (held.safeUntilMs > nextBeatMs) continue;
      held.controller.abort(
        new AttemptStopped('lease-lost', 'the lease could not be renewed: the database does not answer'),
      );
    }
  }
}
