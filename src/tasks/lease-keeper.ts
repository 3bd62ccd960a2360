import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Database } from '../database/tables.ts';
import { renewLeases } from './renew-leases.ts';
import { AttemptStopped } from './stop-reason.ts';

interface Held {
  id: number;
  /** Own monotonic time until which the lease certainly lasts: counted from before the statement was sent. */
  safeUntilMs: number;
  controller: AbortController;
}

export interface LeaseKeeperOptions {
  db: Kysely<Database>;
  leaseMs: number;
  clock: Clock;
  /** A renewal failed; it is tried again until the leases end. */
  onError(error: unknown): void;
}

/** Share of the lease that is relied on; the rest is for clocks that run unequally. */
const reliance = 0.9;

/**
 * Keeps the leases of all tasks this worker holds: renews them together at a third of their life, aborts those whose
 * cancel was requested or whose lease is lost, and, when the database cannot be reached, stops the work before the
 * lease ends, since another worker may then start it. Looks twelve times in the life of a lease, so a renewal that
 * failed is soon tried again, and one that hangs does not keep the work from being stopped in time.
 */
export class LeaseKeeper implements Disposable {
  readonly #options: LeaseKeeperOptions;
  readonly #held = new Map<string, Held>();
  readonly #lookMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isRenewing = false;
  #renewedAtMs = 0;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#lookMs = options.leaseMs / 12;
  }

  /** @param sentAtMs monotonic time before the statement that took the lease was sent. */
  hold(lease: { id: number; token: string; sentAtMs: number; controller: AbortController }): void {
    const safeUntilMs = lease.sentAtMs + this.#options.leaseMs * reliance;
    this.#held.set(lease.token, { id: lease.id, safeUntilMs, controller: lease.controller });
    if (this.#timer !== undefined) return;
    this.#renewedAtMs = lease.sentAtMs;
    this.#timer = setInterval(() => void this.#look(), this.#lookMs);
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

  async #look(): Promise<void> {
    const isDue = this.#options.clock.monotonicMs() - this.#renewedAtMs >= this.#options.leaseMs / 3;
    if (isDue && !this.#isRenewing) await this.#renew();
    this.#stopUnsafe();
  }

  async #renew(): Promise<void> {
    const { db, leaseMs, clock, onError } = this.#options;
    this.#isRenewing = true;
    const sentAtMs = clock.monotonicMs();
    const leases = [...this.#held].map(([token, { id }]) => ({ id, token }));
    try {
      const renewed = await renewLeases({ db, leases, leaseMs });
      this.#renewedAtMs = sentAtMs;
      this.#apply(leases, renewed, sentAtMs + leaseMs * reliance);
    } catch (error) {
      onError(error);
    } finally {
      this.#isRenewing = false;
    }
  }

  #apply(
    sent: readonly { token: string }[],
    renewed: readonly { token: string; isCancelRequested: boolean }[],
    safeUntilMs: number,
  ): void {
    const answers = new Map(renewed.map((lease) => [lease.token, lease]));
    for (const { token } of sent) {
      const held = this.#held.get(token);
      if (held === undefined) continue; // ended while the statement was under way
      const answer = answers.get(token);
      if (answer === undefined) {
        held.controller.abort(
          new AttemptStopped('lease-lost', 'the lease was lost: the task was taken back'),
        );
        continue;
      }
      held.safeUntilMs = safeUntilMs;
      if (answer.isCancelRequested) {
        held.controller.abort(new AttemptStopped('cancel-requested', 'cancel was requested'));
      }
    }
  }

  #stopUnsafe(): void {
    const nextLookMs = this.#options.clock.monotonicMs() + this.#lookMs * 1.5;
    for (const held of this.#held.values()) {
      if (held.safeUntilMs > nextLookMs) continue;
      const message = 'the lease was given up: the database did not answer in time to renew it';
      held.controller.abort(new AttemptStopped('lease-lost', message));
    }
  }
}
