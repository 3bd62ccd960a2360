import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { Log } from '../log.ts';
import { beginTick, type TickBeginning, type TickDatabase } from './begin-tick.ts';
import type { HandlerContext } from './handlers/handler.ts';
import { kindsFingerprint, type RegisteredKind } from './kinds-fingerprint.ts';
import type { ReapedTask } from './reap-lost-tasks.ts';
import { emptyReport, type WorkReport } from './work-report.ts';
import { isDeadHere, type WorkerIdentity } from './worker-identity.ts';

export interface TickOptions extends TickDatabase {
  /** What handlers get; asked for when there is something to do. */
  openContext(): Promise<HandlerContext>;
  config: Config;
  clock: Clock;
  kinds: ReadonlyMap<string, RegisteredKind>;
  worker: WorkerIdentity;
  log: Log;
  signal: AbortSignal;
  concurrency: number;
  /** `concurrency` was asked for: kinds with a width of their own keep to it as well. */
  isConcurrencyGiven?: boolean;
  limit: number;
  /** No claim after this; what runs is finished. Infinity drains the queue. */
  deadlineMs: number;
  onlyQueues?: readonly string[] | undefined;
  onlyKinds?: readonly string[] | undefined;
  /** Run exactly this task, due or not, and nothing else. */
  taskId?: number | undefined;
  /** Enqueues the occurrences of schedules that are due; `src/schedules` brings it, since it builds upon tasks. */
  schedules?: TickSchedules | undefined;
  /** Tells of what broke or works again; unset, nobody is told. */
  alerts?: TickAlerts | undefined;
}

/** What a tick does about schedules, between reaping and claiming. */
export interface TickSchedules {
  /** Whether there is anything to run. */
  isDue(beginning: TickBeginning): boolean;
  run(beginning: TickBeginning): Promise<ScheduledOccurrences>;
}

/** What a tick does about alerts: before its work where some are due, after it where that may have changed something. */
export interface TickAlerts {
  /** Enqueues the messages that are due, and says how many. */
  tell(): Promise<number>;
}

/** How many occurrences became tasks, and how many did not. */
export interface ScheduledOccurrences {
  enqueued: number;
  /** Left out because the one before was not over (overlap = skip). */
  skipped: number;
  /** Left out because a later one is due as well (catch_up = latest). */
  superseded: number;
  /** Too late. */
  missed: number;
}

export const noOccurrences: ScheduledOccurrences = { enqueued: 0, skipped: 0, superseded: 0, missed: 0 };

export interface TickReport extends WorkReport {
  /** True when the first round trip found nothing to do at all. */
  isIdle: boolean;
  reaped: ReapedTask[];
  /** Occurrences of schedules. */
  scheduled: ScheduledOccurrences;
  pruned: number;
  /** Messages about what broke or works again that were enqueued. */
  alerts: number;
  nextDueAt: Date | null;
}

/** What the first statement found to do. */
export interface DueWork {
  beginning: TickBeginning;
  areKindsNew: boolean;
  /** Owners of running tasks that are processes of this host, and gone. */
  deadOwners: readonly string[];
}

/**
 * One tick: reap → schedules → claim → run → alerts → prune → record. Idle, as most are, it costs one statement, and nothing is
 * loaded of what the rest needs; see doDueWork. Any number of ticks may run at once, on any number of hosts; there is no
 * lock that could stay behind.
 */
export async function runTick(options: TickOptions): Promise<TickReport> {
  const { worker, clock, config } = options;
  const startedMs = clock.monotonicMs();
  const { keep_succeeded: keepSucceededMs, keep_failed: keepEndedMs } = config.tasks;
  const beginning = await beginTick({ ...options, keepSucceededMs, keepEndedMs });
  const due = {
    beginning,
    areKindsNew: beginning.kindsFingerprint !== kindsFingerprint(options.kinds.values()),
    deadOwners: beginning.ownersHere.filter((owner) => isDeadHere(owner, worker)),
  };
  if (!isAnythingToDo(options, due)) {
    const { nextDueAt } = beginning;
    const nothing = { isIdle: true, reaped: [], scheduled: noOccurrences, pruned: 0, alerts: 0 };
    return { ...emptyReport(), ...nothing, nextDueAt };
  }
  const { doDueWork } = await import('./do-due-work.ts');
  const mayClaim = () => clock.monotonicMs() - startedMs < options.deadlineMs;
  return await doDueWork({ ...options, ...due, context: await options.openContext(), mayClaim });
}

function isAnythingToDo(options: TickOptions, { beginning, areKindsNew, deadOwners }: DueWork): boolean {
  return (
    beginning.isAnythingDue ||
    beginning.hasExpiredLeases ||
    beginning.hasFinishedToPrune ||
    deadOwners.length > 0 ||
    areKindsNew ||
    options.taskId !== undefined ||
    options.schedules?.isDue(beginning) === true ||
    (options.alerts !== undefined && beginning.isAlertDue)
  );
}
