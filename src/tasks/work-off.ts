import { setImmediate as nextTurn } from 'node:timers/promises';
import { toError } from '../errors.ts';
import type { Log, Progress } from '../log.ts';
import type { ClaimedTask } from './claim-due-tasks.ts';
import type { AttemptEnding } from './finish-attempts.ts';
import { FinishWriter } from './finish-writer.ts';
import type { HandlerContext, TaskKind } from './handlers/handler.ts';
import { type Batch, type Held, Lane, type LaneOptions } from './lane.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { runAttempt } from './run-attempt.ts';
import { SteadyClaims } from './steady-claims.ts';
import { AttemptStopped } from './stop-reason.ts';
import { addToReport, emptyReport, type WorkReport } from './work-report.ts';
import type { WorkerIdentity } from './worker-identity.ts';

export interface WorkOptions {
  context: HandlerContext;
  kinds: ReadonlyMap<string, TaskKind>;
  worker: WorkerIdentity;
  lanes: readonly LaneOptions[];
  leaseMs: number;
  graceMs: number;
  /** False ends the claiming; what was started is finished. */
  mayClaim(): boolean;
  /** At most this many tasks in all. */
  limit: number;
  /** The worker is told to stop: claim no more, stop what runs, give back what was not started. */
  signal: AbortSignal;
  log: Log;
  /** Kinds whose success may be a recovery. */
  brokenKinds?: Iterable<string> | undefined;
  onStop?: 'release' | 'cancel';
  live?: { log: Log; progress: Progress };
  onAttemptEnded?(ended: { task: ClaimedTask; ending: AttemptEnding; thrown?: unknown }): void;
}

/**
 * Claims, runs and finishes tasks until nothing is left to claim, `mayClaim` says no, or the worker is told to stop; in
 * each lane so many at a time, over the one session of `context.db`, which is held by no one while tasks work. Where a
 * kind is halted, no more of its tasks are claimed, and those that wait go back.
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
  readonly #claims: SteadyClaims;
  readonly #lanes: readonly Lane[];
  readonly #used = new Set<TaskKind>();
  #unwritten = 0;
  #claimed = 0;
  #claimError: Error | undefined;
  #wake = Promise.withResolvers<void>();

  constructor(options: WorkOptions) {
    this.#options = options;
    const { leaseMs, context, log, signal, brokenKinds } = options;
    const { db, clock } = context;
    let said: string | undefined;
    // A server that is away says the same at every try.
    const onError = (error: unknown) => {
      const { message } = toError(error);
      if (message !== said) log.warn(`the database did not take a statement: ${message}`);
      said = message;
    };
    this.#keeper = new LeaseKeeper({ db, leaseMs, clock, onError });
    this.#writer = new FinishWriter({ db, clock, patienceMs: leaseMs, brokenKinds, onError });
    this.#claims = new SteadyClaims({
      ...{ db, clock, signal, owner: options.worker.owner },
      knownTokens: () => this.#keeper.tokens(),
      strays: options.onStop === 'cancel' ? 'cancelled' : 'waiting',
    });
    this.#lanes = options.lanes.map(
      ({ claim, ...lane }) => new Lane({ ...lane, claim: this.#claims.over(claim), leaseMs, clock }),
    );
  }

  async run(): Promise<WorkReport> {
    const onStop = () => this.#stop();
    this.#options.signal.addEventListener('abort', onStop, { once: true });
    try {
      for (;;) {
        await this.#claimForAll();
        for (const lane of this.#lanes) this.#startWaiting(lane);
        const mayGoOn = this.#lanes.some((lane) => this.#shouldClaim(lane));
        if (this.#isIdle() && !mayGoOn) break;
        if (mayGoOn) continue;
        await this.#wake.promise;
        this.#wake = Promise.withResolvers<void>();
      }
    } finally {
      this.#options.signal.removeEventListener('abort', onStop);
      this.#keeper[Symbol.dispose]();
      for (const lane of this.#lanes) clearTimeout(lane.patience);
      await this.#closeKinds();
    }
    if (this.#claimError !== undefined) throw this.#claimError;
    return this.#report;
  }

  #isIdle(): boolean {
    return this.#unwritten === 0 && this.#lanes.every((lane) => lane.isIdle);
  }

  #shouldClaim(lane: Lane): boolean {
    return (
      !this.#options.signal.aborted &&
      !lane.isClaiming &&
      !lane.isExhausted &&
      this.#claimError === undefined &&
      lane.hasRoom &&
      this.#unwritten < 1000 &&
      this.#claimed < this.#options.limit &&
      this.#options.mayClaim()
    );
  }

  /** Returns when the claims are on their way: quick tasks that are started before leave no turn to send them. */
  async #claimForAll(): Promise<void> {
    let isAhead = false;
    for (const lane of this.#lanes) {
      if (!this.#shouldClaim(lane)) continue;
      lane.isClaiming = true;
      isAhead ||= lane.waiting.length > 0;
      void this.#claimBatch(lane).then(() => {
        lane.isClaiming = false;
        this.#wake.resolve();
      });
    }
    if (isAhead) await nextTurn();
  }

  async #claimBatch(lane: Lane): Promise<void> {
    const { clock } = this.#options.context;
    const { freeSlots } = lane;
    const count = Math.min(lane.batch.next(freeSlots), this.#options.limit - this.#claimed);
    const sentAtMs = clock.monotonicMs();
    // Counted before it is known, so that two lanes do not claim more than the limit.
    this.#claimed += count;
    lane.claimedAtMs = sentAtMs;
    let tasks: ClaimedTask[] = [];
    try {
      tasks = await lane.claim(count, freeSlots, [...this.#report.halted.keys()]);
    } catch (error) {
      // What runs is finished first; the error ends the worker afterwards.
      this.#claimError = toError(error);
      return;
    } finally {
      this.#claimed -= count - tasks.length;
    }
    // Ahead, only what may wait is claimed: that there is none does not mean that nothing is due.
    if (tasks.length === 0 && freeSlots === 0) lane.batch.forget();
    lane.isExhausted = tasks.length === 0 && freeSlots > 0;
    const answeredAtMs = clock.monotonicMs();
    const batch: Batch = { count: tasks.length, left: tasks.length, sentAtMs, answeredAtMs };
    for (const task of tasks) {
      const controller = new AbortController();
      this.#keeper.hold({ id: task.id, token: task.token, sentAtMs, controller });
      lane.waiting.push({ task, controller, batch });
    }
    this.#claims.take(tasks);
    if (this.#options.signal.aborted) this.#stop();
  }

  #startWaiting(lane: Lane): void {
    while (lane.active.size < lane.concurrency) {
      const held = this.#options.mayClaim() ? lane.waiting.shift() : undefined;
      if (held === undefined) break;
      if (this.#report.halted.has(held.task.kind)) {
        this.#giveBack(held.task);
        continue;
      }
      lane.active.add(held);
      void this.#attempt(lane, held);
    }
    this.#limitWaiting(lane);
  }

  /** What was claimed beyond the free slots and finds none soon goes back: others may have one. */
  #limitWaiting(lane: Lane): void {
    clearTimeout(lane.patience);
    if (lane.waiting.length === 0) return;
    if (!this.#options.mayClaim()) {
      this.#giveBackWaiting(lane);
      return;
    }
    lane.patience = setTimeout(() => {
      lane.batch.forget();
      this.#giveBackWaiting(lane);
    }, lane.patienceMs);
  }

  #giveBackWaiting(lane: Lane): void {
    for (const { task } of lane.waiting.splice(0)) this.#giveBack(task);
  }

  #giveBack(task: ClaimedTask): void {
    // Never started, so it is none of the tasks that `limit` allows.
    this.#claimed -= 1;
    this.#finish(undefined, task, givenBack, this.#options.context.clock.monotonicMs());
  }

  async #attempt(lane: Lane, held: Held): Promise<void> {
    const { context, graceMs, onStop = 'release', live } = this.#options;
    const { task, controller } = held;
    const startedMs = context.clock.monotonicMs();
    const kind = this.#options.kinds.get(task.kind);
    if (kind === undefined) throw new Error(`claimed a task of kind "${task.kind}", which is not known here`);
    this.#used.add(kind);
    const { ending, thrown } = await runAttempt({ task, kind, context, controller, graceMs, onStop, live });
    this.#options.onAttemptEnded?.({ task, ending, thrown });
    if (ending.halt !== undefined) this.#report.halted.set(task.kind, ending.halt);
    lane.active.delete(held);
    lane.learnFrom(held.batch);
    this.#finish(lane, task, ending, startedMs);
  }

  #finish(lane: Lane | undefined, task: ClaimedTask, ending: AttemptEnding, startedMs: number): void {
    const { clock } = this.#options.context;
    const durationMs = Math.round(clock.monotonicMs() - startedMs);
    this.#unwritten += 1;
    void this.#writer.write(task, ending, { mayGather: lane?.mayGather ?? false }).then((written) => {
      this.#unwritten -= 1;
      this.#keeper.release(task.token);
      addToReport(this.#report, written, durationMs);
      if (lane !== undefined) this.#lookAgain(lane, written.state === undefined, ending);
      this.#wake.resolve();
    });
    this.#wake.resolve();
  }

  /**
   * A finished task may have freed its mutex, or enqueued others: its own lane looks again, and the others do so where
   * there is something new for them, or now and then. Where an end could not be written, nothing can be claimed either.
   */
  #lookAgain(lane: Lane, isUnreachable: boolean, ending: AttemptEnding): void {
    const nowMs = this.#options.context.clock.monotonicMs();
    for (const each of this.#lanes) {
      if (isUnreachable) each.isExhausted = true;
      else if (each === lane || ending.followUps.length > 0 || nowMs - each.claimedAtMs > 1000)
        each.isExhausted = false;
    }
  }

  #stop(): void {
    const stopped = new AttemptStopped('worker-stopping', 'the worker was told to stop');
    for (const lane of this.#lanes) {
      for (const { controller } of lane.active) controller.abort(stopped);
      this.#giveBackWaiting(lane);
    }
    this.#wake.resolve();
  }

  /** What handlers kept between tasks, such as connections to a mail server. */
  async #closeKinds(): Promise<void> {
    for (const kind of this.#used) await (await kind.load()).close?.();
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
