import { setImmediate as nextTurn } from 'node:timers/promises';
import { toError } from '../errors.ts';
import type { Log, Progress } from '../log.ts';
import { BatchSize } from './batch-size.ts';
import type { ClaimedTask } from './claim-due-tasks.ts';
import { type ClaimSource, claimAcrossReconnects } from './claim-source.ts';
import type { AttemptEnding } from './finish-attempts.ts';
import { FinishWriter } from './finish-writer.ts';
import type { HandlerContext, TaskKind } from './handlers/handler.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { runAttempt } from './run-attempt.ts';
import { AttemptStopped } from './stop-reason.ts';
import { addToReport, emptyReport, type WorkReport } from './work-report.ts';
import type { WorkerIdentity } from './worker-identity.ts';

export interface WorkOptions {
  context: HandlerContext;
  kinds: ReadonlyMap<string, TaskKind>;
  worker: WorkerIdentity;
  claim: ClaimSource;
  leaseMs: number;
  concurrency: number;
  graceMs: number;
  /** False ends the claiming; what was started is finished. */
  mayClaim(): boolean;
  /** At most this many tasks in all. */
  limit: number;
  /** The worker is told to stop: claim no more, stop what runs, give back what was not started. */
  signal: AbortSignal;
  log: Log;
  onStop?: 'release' | 'cancel';
  live?: { log: Log; progress: Progress };
  onAttemptEnded?(ended: { task: ClaimedTask; ending: AttemptEnding; thrown?: unknown }): void;
}

interface Held {
  task: ClaimedTask;
  controller: AbortController;
  batch: Batch;
}

/** Tasks claimed together. */
interface Batch {
  count: number;
  /** How many of them have not ended yet. */
  left: number;
  sentAtMs: number;
  answeredAtMs: number;
}

/**
 * Claims, runs and finishes tasks until nothing is left to claim, `mayClaim` says no, or the worker is told to stop;
 * at most `concurrency` at a time, over the one session of `context.db`, which is held by no one while tasks work.
 */
export async function workOff(options: WorkOptions): Promise<WorkReport> {
  const worker = new Worker(options);
  return await worker.run();
}

class Worker {
  readonly #options: WorkOptions;
  readonly #report = emptyReport();
  readonly #keeper: LeaseKeeper;
  readonly #writer: FinishWriter;
  readonly #claim: ClaimSource;
  readonly #batch: BatchSize;
  readonly #waiting: Held[] = [];
  readonly #active = new Set<Held>();
  #unwritten = 0;
  #claimed = 0;
  #isClaiming = false;
  #isExhausted = false;
  #claimError: Error | undefined;
  #patience: NodeJS.Timeout | undefined;
  #wake = Promise.withResolvers<void>();

  constructor(options: WorkOptions) {
    this.#options = options;
    const { leaseMs, context, log } = options;
    const { db, clock } = context;
    let said: string | undefined;
    // A server that is away says the same at every try.
    const onError = (error: unknown) => {
      const { message } = toError(error);
      if (message !== said) log.warn(`the database did not take a statement: ${message}`);
      said = message;
    };
    this.#keeper = new LeaseKeeper({ db, leaseMs, clock, onError });
    this.#writer = new FinishWriter({ db, clock, patienceMs: leaseMs, onError });
    this.#batch = new BatchSize({ leaseMs });
    this.#claim = claimAcrossReconnects({
      claim: options.claim,
      db,
      clock,
      owner: options.worker.owner,
      knownTokens: () => this.#keeper.tokens(),
      strays: options.onStop === 'cancel' ? 'cancelled' : 'waiting',
      signal: options.signal,
    });
  }

  async run(): Promise<WorkReport> {
    const onStop = () => this.#stop();
    this.#options.signal.addEventListener('abort', onStop, { once: true });
    try {
      for (;;) {
        if (this.#shouldClaim()) await this.#startClaim();
        this.#startWaiting();
        if (this.#isIdle() && !this.#shouldClaim()) break;
        if (this.#shouldClaim()) continue;
        await this.#wake.promise;
        this.#wake = Promise.withResolvers<void>();
      }
    } finally {
      this.#options.signal.removeEventListener('abort', onStop);
      this.#keeper[Symbol.dispose]();
      clearTimeout(this.#patience);
    }
    if (this.#claimError !== undefined) throw this.#claimError;
    return this.#report;
  }

  #isIdle(): boolean {
    const isHoldingNone = this.#active.size === 0 && this.#waiting.length === 0;
    return isHoldingNone && !this.#isClaiming && this.#unwritten === 0;
  }

  #shouldClaim(): boolean {
    return (
      !this.#options.signal.aborted &&
      !this.#isClaiming &&
      !this.#isExhausted &&
      this.#claimError === undefined &&
      this.#hasRoom() &&
      this.#unwritten < 1000 &&
      this.#claimed < this.#options.limit &&
      this.#options.mayClaim()
    );
  }

  /** For tasks that start at once, or for a batch claimed ahead. */
  #hasRoom(): boolean {
    const waiting = this.#waiting.length;
    const { concurrency } = this.#options;
    return waiting === 0 ? this.#freeSlots() > 0 : this.#batch.allowsAnother({ waiting, concurrency });
  }

  /** Slots that a task claimed now could take at once. */
  #freeSlots(): number {
    return Math.max(this.#options.concurrency - this.#active.size - this.#waiting.length, 0);
  }

  /** Returns when the claim is on its way: quick tasks that are started before it leave no turn to send it. */
  async #startClaim(): Promise<void> {
    this.#isClaiming = true;
    void this.#claimBatch().then(() => {
      this.#isClaiming = false;
      this.#wake.resolve();
    });
    if (this.#waiting.length > 0) await nextTurn();
  }

  async #claimBatch(): Promise<void> {
    const { clock } = this.#options.context;
    const freeSlots = this.#freeSlots();
    const count = Math.min(this.#batch.next(freeSlots), this.#options.limit - this.#claimed);
    const sentAtMs = clock.monotonicMs();
    let tasks: ClaimedTask[];
    try {
      tasks = await this.#claim(count, freeSlots);
    } catch (error) {
      // What runs is finished first; the error ends the worker afterwards.
      this.#claimError = toError(error);
      return;
    }
    // Ahead, only what may wait is claimed: that there is none does not mean that nothing is due.
    if (tasks.length === 0 && freeSlots === 0) this.#batch.forget();
    this.#isExhausted = tasks.length === 0 && freeSlots > 0;
    this.#claimed += tasks.length;
    const answeredAtMs = clock.monotonicMs();
    const batch: Batch = { count: tasks.length, left: tasks.length, sentAtMs, answeredAtMs };
    for (const task of tasks) {
      const controller = new AbortController();
      this.#keeper.hold({ id: task.id, token: task.token, sentAtMs, controller });
      this.#waiting.push({ task, controller, batch });
    }
    if (this.#options.signal.aborted) this.#stop();
  }

  #startWaiting(): void {
    while (this.#active.size < this.#options.concurrency) {
      const held = this.#options.mayClaim() ? this.#waiting.shift() : undefined;
      if (held === undefined) break;
      this.#active.add(held);
      void this.#attempt(held);
    }
    this.#limitWaiting();
  }

  /** What was claimed beyond the free slots and finds none soon goes back: others may have one. */
  #limitWaiting(): void {
    clearTimeout(this.#patience);
    if (this.#waiting.length === 0) return;
    if (!this.#options.mayClaim()) {
      this.#giveBackWaiting();
      return;
    }
    const waitedMs = this.#options.context.clock.monotonicMs() - (this.#waiting[0]?.batch.answeredAtMs ?? 0);
    const patienceMs = Math.max(this.#batch.horizonMs * 4 - waitedMs, 0);
    this.#patience = setTimeout(() => {
      this.#batch.forget();
      this.#giveBackWaiting();
    }, patienceMs);
  }

  #giveBackWaiting(): void {
    for (const { task } of this.#waiting.splice(0)) {
      // Never started, so it is none of the tasks that `limit` allows.
      this.#claimed -= 1;
      this.#finish(task, givenBack, this.#options.context.clock.monotonicMs());
    }
  }

  /** A batch has told how fast tasks are when its last one has ended. */
  #learnFrom(batch: Batch): void {
    batch.left -= 1;
    if (batch.left > 0) return;
    this.#batch.learn(batch.count, this.#options.context.clock.monotonicMs() - batch.sentAtMs);
  }

  async #attempt(held: Held): Promise<void> {
    const { context, graceMs, onStop = 'release', live } = this.#options;
    const { task, controller } = held;
    const startedMs = context.clock.monotonicMs();
    const kind = this.#options.kinds.get(task.kind);
    if (kind === undefined) throw new Error(`claimed a task of kind "${task.kind}", which is not known here`);
    const { ending, thrown } = await runAttempt({ task, kind, context, controller, graceMs, onStop, live });
    this.#options.onAttemptEnded?.({ task, ending, thrown });
    this.#active.delete(held);
    this.#learnFrom(held.batch);
    this.#finish(task, ending, startedMs);
  }

  #finish(task: ClaimedTask, ending: AttemptEnding, startedMs: number): void {
    const { clock } = this.#options.context;
    const durationMs = Math.round(clock.monotonicMs() - startedMs);
    this.#unwritten += 1;
    void this.#writer.write(task, ending).then((written) => {
      this.#unwritten -= 1;
      this.#keeper.release(task.token);
      addToReport(this.#report, written, durationMs);
      // A finished task may have freed its mutex, or enqueued others. Where an end could not be written, nothing can be
      // claimed either.
      this.#isExhausted = written.state === undefined;
      this.#wake.resolve();
    });
    this.#wake.resolve();
  }

  #stop(): void {
    const stopped = new AttemptStopped('worker-stopping', 'the worker was told to stop');
    for (const { controller } of this.#active) controller.abort(stopped);
    this.#giveBackWaiting();
    this.#wake.resolve();
  }
}

/** A task that was claimed and never started goes back as if nothing had happened. */
const givenBack: AttemptEnding = {
  outcome: 'released',
  state: 'waiting',
  delayMs: 0,
  isCounted: false,
  isRecorded: false,
  reason: 'given back: it was claimed and not started',
  error: null,
  exitCode: null,
  outputTail: null,
  evidence: null,
  followUps: [],
};
