import { isConnectionLoss } from '../database/translate-database-error.ts';
import { toError } from '../errors.ts';
import type { Log } from '../log.ts';
import { beginTick, type TickBeginning } from './begin-tick.ts';
import type { ClaimSource } from './claim-source.ts';
import type { HandlerContext } from './handlers/handler.ts';
import { pruneTasks } from './prune-tasks.ts';
import { type ReapedTask, reapLostTasks } from './reap-lost-tasks.ts';
import { recordBusyTick } from './record-tick.ts';
import { kindsFingerprint, type RegisteredKind, registerKinds } from './register-kinds.ts';
import { emptyReport, type WorkReport } from './work-report.ts';
import { isDeadHere, type WorkerIdentity } from './worker-identity.ts';

export interface TickOptions {
  context: HandlerContext;
  kinds: ReadonlyMap<string, RegisteredKind>;
  worker: WorkerIdentity;
  log: Log;
  signal: AbortSignal;
  concurrency: number;
  limit: number;
  /** No claim after this; what runs is finished. Infinity drains the queue. */
  deadlineMs: number;
  onlyQueues?: readonly string[] | undefined;
  onlyKinds?: readonly string[] | undefined;
  /** Run exactly this task, due or not, and nothing else. */
  taskId?: number | undefined;
  /** Enqueues the occurrences of schedules that are due; `src/schedules` brings it, since it builds upon tasks. */
  schedules?: TickSchedules | undefined;
}

/** What a tick does about schedules, between reaping and claiming. */
export interface TickSchedules {
  run(beginning: TickBeginning): Promise<ScheduledOccurrences>;
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
  nextDueAt: Date | null;
}

/**
 * One tick: reap → schedules → claim → run → prune → record. Idle, it costs one statement. When the database went away under it, the
 * report says what could not be written instead of failing for what comes after. Any number of ticks may run at once, on
 * any number of hosts; there is no lock that could stay behind.
 */
export async function runTick(options: TickOptions): Promise<TickReport> {
  const { context, worker, kinds } = options;
  const { db, clock, config } = context;
  const startedMs = clock.monotonicMs();
  const retention = { keepSucceededMs: config.tasks.keep_succeeded, keepEndedMs: config.tasks.keep_failed };
  const beginning = await beginTick({ db, worker, ...retention });
  if (beginning.kindsFingerprint !== kindsFingerprint(kinds.values())) {
    await registerKinds({ db, kinds, host: worker.host });
  }
  const reaped = await reap(options, beginning);
  const scheduled = (await options.schedules?.run(beginning)) ?? noOccurrences;
  const mayClaim = () => clock.monotonicMs() - startedMs < options.deadlineMs;
  const isWorkDue =
    beginning.isAnythingDue || reaped.length + scheduled.enqueued > 0 || options.taskId !== undefined;
  const report = isWorkDue ? await work(options, mayClaim) : emptyReport();
  const isReachable = report.unwritten === 0;
  let pruned = 0;
  try {
    const mayContinue = () => mayClaim() && !options.signal.aborted;
    if (beginning.hasFinishedToPrune && isReachable) {
      pruned = await pruneTasks({ db, ...retention, mayContinue });
    }
    if (isWorkDue && isReachable) {
      await recordBusyTick({ db, host: worker.host, outcome: summarise(report, reaped, scheduled) });
    }
  } catch (error) {
    if (!isWorkDue || !isConnectionLoss(error)) throw error;
    options.log.warn(`the end of the tick could not be noted: ${toError(error).message}`);
  }
  const isIdle = !isWorkDue && pruned === 0 && scheduled.missed === 0;
  return { ...report, isIdle, reaped, scheduled, pruned, nextDueAt: beginning.nextDueAt };
}

async function reap(options: TickOptions, beginning: TickBeginning): Promise<ReapedTask[]> {
  const deadOwners = beginning.ownersHere.filter((owner) => isDeadHere(owner, options.worker));
  if (!beginning.hasExpiredLeases && deadOwners.length === 0) return [];
  const reaped = await reapLostTasks({ db: options.context.db, deadOwners });
  for (const { id, kind, state, owner } of reaped) {
    options.log.warn(
      `Task ${id} (${kind}) was lost by worker ${owner.split(':', 2).join(':')}; it is ${state} now.`,
    );
  }
  return reaped;
}

/** What claims and runs is loaded here: most ticks are idle, and pay for none of it. */
async function work(options: TickOptions, mayClaim: () => boolean): Promise<WorkReport> {
  const { workOff } = await import('./work-off.ts');
  const { context, worker, kinds, taskId } = options;
  const leaseMs = context.config.tasks.lease;
  return await workOff({
    context,
    kinds,
    worker,
    claim: taskId === undefined ? dueTasks(options, leaseMs) : theTask(options, leaseMs, taskId),
    leaseMs,
    concurrency: options.concurrency,
    graceMs: context.config.tasks.grace,
    mayClaim,
    limit: taskId === undefined ? options.limit : 1,
    signal: options.signal,
    log: options.log,
  });
}

function dueTasks(options: TickOptions, leaseMs: number): ClaimSource {
  const claiming = import('./claim-due-tasks.ts');
  const { context, worker, onlyKinds } = options;
  const kinds = [...options.kinds.keys()].filter((kind) => onlyKinds?.includes(kind) ?? true);
  const queues = options.onlyQueues;
  const hostLimit = context.config.tasks.max_running;
  return async (count, startable) =>
    await (await claiming).claimDueTasks({
      db: context.db,
      worker,
      leaseMs,
      kinds,
      queues,
      count,
      startable,
      hostLimit,
    });
}

function theTask(options: TickOptions, leaseMs: number, id: number): ClaimSource {
  const { context, worker } = options;
  const kinds = [...options.kinds.keys()];
  return async () => [
    await (await import('./claim-task.ts')).claimTask({ db: context.db, worker, leaseMs, kinds, id }),
  ];
}

function summarise(
  report: WorkReport,
  reaped: readonly ReapedTask[],
  { enqueued, ...leftOut }: ScheduledOccurrences,
): string {
  const all = { ...report, reaped: reaped.length, scheduled: enqueued, ...leftOut };
  const counts = Object.entries(all).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number' && entry[1] > 0,
  );
  return counts.length === 0
    ? 'nothing claimed'
    : counts.map(([name, count]) => `${count} ${name}`).join(', ');
}
