import { isConnectionLoss } from '../database/translate-database-error.ts';
import { toError } from '../errors.ts';
import type { ClaimSource } from './claim-source.ts';
import type { HandlerContext } from './handlers/handler.ts';
import type { LaneOptions } from './lane.ts';
import { pruneTasks } from './prune-tasks.ts';
import { type ReapedTask, reapLostTasks } from './reap-lost-tasks.ts';
import { recordBusyTick } from './record-tick.ts';
import { registerKinds } from './register-kinds.ts';
import {
  type DueWork,
  noOccurrences,
  type ScheduledOccurrences,
  type TickOptions,
  type TickReport,
} from './run-tick.ts';
import { addReport, emptyReport, type WorkReport } from './work-report.ts';

export interface DueWorkOptions extends TickOptions, DueWork {
  context: HandlerContext;
  /** False once the deadline has passed. */
  mayClaim(): boolean;
}

/**
 * The rest of a tick whose first statement found something: reap → schedules → alerts → claim → run → alerts → prune →
 * record. When the database went away under it, the report says what could not be written instead of failing for what
 * comes after.
 */
export async function doDueWork(options: DueWorkOptions): Promise<TickReport> {
  const { context, worker, kinds, beginning, mayClaim } = options;
  const { db, config } = context;
  if (options.areKindsNew) await registerKinds({ db, kinds, host: worker.host });
  const reaped = await reap(options);
  const scheduled = (await options.schedules?.run(beginning)) ?? noOccurrences;
  const alertsBefore = beginning.isAlertDue || reaped.length > 0 ? await tell(options) : 0;
  const isWorkDue =
    beginning.isAnythingDue ||
    reaped.length + scheduled.enqueued + alertsBefore > 0 ||
    options.taskId !== undefined;
  const report = isWorkDue ? await work(options) : emptyReport();
  const isReachable = report.unwritten === 0;
  const alertsAfter = isWorkDue && isReachable && mayHaveNews(options, report) ? await tell(options) : 0;
  if (alertsAfter > 0) addReport(report, await sendAlerts(options, report));
  let pruned = 0;
  try {
    const mayContinue = () => mayClaim() && !options.signal.aborted;
    if (beginning.hasFinishedToPrune && isReachable) {
      const { keep_succeeded: keepSucceededMs, keep_failed: keepEndedMs } = config.tasks;
      pruned = await pruneTasks({ db, keepSucceededMs, keepEndedMs, mayContinue });
    }
    if (isWorkDue && isReachable) {
      await recordBusyTick({ db, host: worker.host, outcome: summarise(report, reaped, scheduled) });
    }
  } catch (error) {
    if (!isWorkDue || !isConnectionLoss(error)) throw error;
    options.log.warn(`the end of the tick could not be noted: ${toError(error).message}`);
  }
  const isIdle = !isWorkDue && pruned === 0 && scheduled.missed === 0;
  const alerts = alertsBefore + alertsAfter;
  return { ...report, isIdle, reaped, scheduled, pruned, alerts, nextDueAt: beginning.nextDueAt };
}

/** What could not be told is due at the next tick: the work is done, and must not look as if it had failed. */
async function tell({ alerts, log }: DueWorkOptions): Promise<number> {
  try {
    return (await alerts?.tell()) ?? 0;
  } catch (error) {
    log.warn(`no message about what is broken could be enqueued: ${toError(error).message}`);
    return 0;
  }
}

function mayHaveNews({ beginning }: DueWorkOptions, { failed, held, succeeded }: WorkReport): boolean {
  return failed + held > 0 || (beginning.brokenKinds.length > 0 && succeeded > 0);
}

/** The messages need not wait for the next tick, where this one may send any. */
async function sendAlerts(options: DueWorkOptions, { halted }: WorkReport): Promise<WorkReport> {
  const { onlyKinds = [mailKind] } = options;
  if (!onlyKinds.includes(mailKind) || halted.has(mailKind) || !options.mayClaim()) return emptyReport();
  return await work({ ...options, onlyKinds: [mailKind] });
}

async function reap(options: DueWorkOptions): Promise<ReapedTask[]> {
  const { beginning, deadOwners } = options;
  if (!beginning.hasExpiredLeases && deadOwners.length === 0) return [];
  const reaped = await reapLostTasks({ db: options.context.db, deadOwners });
  for (const { id, kind, state, owner } of reaped) {
    options.log.warn(
      `Task ${id} (${kind}) was lost by worker ${owner.split(':', 2).join(':')}; it is ${state} now.`,
      { taskId: id, kind, state },
    );
  }
  return reaped;
}

const mailKind = 'send-mail';

/** What claims and runs is loaded here: a tick may have something else to do only. */
async function work(options: DueWorkOptions): Promise<WorkReport> {
  const { workOff } = await import('./work-off.ts');
  const { context, worker, kinds, taskId } = options;
  const leaseMs = context.config.tasks.lease;
  return await workOff({
    context,
    kinds,
    worker,
    lanes:
      taskId === undefined
        ? dueTasks(options, leaseMs)
        : [{ claim: theTask(options, leaseMs, taskId), concurrency: 1 }],
    leaseMs,
    graceMs: context.config.tasks.grace,
    mayClaim: options.mayClaim,
    limit: taskId === undefined ? options.limit : 1,
    signal: options.signal,
    log: options.log,
    brokenKinds: options.beginning.brokenKinds,
  });
}

/** The kinds with a width of their own in lanes of their own, the others in one. */
function dueTasks(options: DueWorkOptions, leaseMs: number): LaneOptions[] {
  const kinds = [...options.kinds.values()].filter(({ kind }) => options.onlyKinds?.includes(kind) ?? true);
  const narrow = kinds.filter(({ policy }) => policy.width === undefined).map(({ kind }) => kind);
  const lanes: LaneOptions[] = [];
  if (narrow.length > 0) {
    lanes.push({ claim: dueOf(options, leaseMs, narrow), concurrency: options.concurrency });
  }
  for (const { kind, policy } of kinds) {
    if (policy.width === undefined) continue;
    const concurrency = options.isConcurrencyGiven === true ? options.concurrency : policy.width;
    lanes.push({ claim: dueOf(options, leaseMs, [kind]), concurrency, isWide: true });
  }
  return lanes;
}

function dueOf(options: DueWorkOptions, leaseMs: number, kinds: readonly string[]): ClaimSource {
  const claiming = import('./claim-due-tasks.ts');
  const { context, worker } = options;
  const queues = options.onlyQueues;
  const hostLimit = context.config.tasks.max_running;
  return async (count, startable, exceptKinds) => {
    const wanted = exceptKinds.length === 0 ? kinds : kinds.filter((kind) => !exceptKinds.includes(kind));
    if (wanted.length === 0) return [];
    const { claimDueTasks } = await claiming;
    return await claimDueTasks({
      ...{ db: context.db, worker, leaseMs, kinds: wanted, queues, count, startable, hostLimit },
    });
  };
}

function theTask(options: DueWorkOptions, leaseMs: number, id: number): ClaimSource {
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
