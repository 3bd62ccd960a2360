import { closestName } from '../closest-name.ts';
import { TendError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { tickSchedules } from '../schedules/tick-schedules.ts';
import { knownKinds } from '../tasks/handlers/registry.ts';
import { runTick, type TickReport } from '../tasks/run-tick.ts';
import { workerIdentity } from '../tasks/worker-identity.ts';
import type { CommandBody, CommandContext, CommandOutcome } from './command-context.ts';
import { handlerContext, hostName } from './handler-context.ts';
import type { Output } from './output.ts';
import { tellFailedTick, tellTick } from './tell-metrics.ts';
import { tickAlerts } from './tick-alerts.ts';
import type { TickFlags } from './tick-flags.ts';

/** What `run-due-tasks` does, for both of its entries. */
export function tickBody(flags: TickFlags): CommandBody {
  return async (context) => {
    refuseUnknownKinds(context, flags);
    if (flags.isDryRun) {
      const { planBody } = await import('./tick-plan.ts');
      return await planBody(context, flags);
    }
    try {
      return await tick(context, flags);
    } catch (thrown) {
      await tellFailedTick(context, flags, thrown);
      throw thrown;
    }
  };
}

async function tick(context: CommandContext, flags: TickFlags): Promise<CommandOutcome> {
  const { config, clock, log, signal } = context;
  const host = hostName(context);
  const report = await runTick({
    sessions: await context.openSessions(),
    openDatabase: context.openDatabase,
    openContext: () => handlerContext(context),
    config,
    clock,
    kinds: knownKinds(config),
    worker: workerIdentity(host),
    log,
    signal,
    concurrency: flags.concurrency ?? config.tasks.concurrency,
    isConcurrencyGiven: flags.concurrency !== undefined,
    limit: flags.limit,
    deadlineMs: flags.isDrain ? Number.POSITIVE_INFINITY : (flags.deadlineMs ?? config.tasks.deadline),
    onlyQueues: flags.queues,
    onlyKinds: flags.kinds,
    taskId: flags.taskId,
    schedules:
      flags.taskId === undefined
        ? tickSchedules({ openDatabase: context.openDatabase, schedules: config.schedules, host, log })
        : undefined,
    // The one task that was asked for, and nothing else.
    alerts: flags.taskId === undefined ? tickAlerts({ ...context, monitor: config.monitor }) : undefined,
  });
  const exitCode = exitCodeOf(report);
  await tellTick(context, flags, exitCode);
  return {
    result: {
      ...report,
      tasks: report.tasks.map((task) => ({ ...task, state: task.state ?? 'lost' })),
      halted: [...report.halted].map(([kind, { reason, exitCode = 0 }]) => ({ kind, reason, exitCode })),
    },
    exitCode,
    render: (output) => render(report, output),
  };
}

/** A misspelt kind would be a tick that finds nothing due, for ever. */
function refuseUnknownKinds({ config }: CommandContext, { kinds = [] }: TickFlags): void {
  const known = [...knownKinds(config).keys()];
  const unknown = kinds.find((kind) => !known.includes(kind));
  if (unknown === undefined) return;
  const guess = closestName(unknown, known);
  const question = guess === undefined ? '' : `; did you mean "${guess}"?`;
  throw new TendError('USAGE', `--kind: this host knows no kind "${unknown}"${question}`, {
    hint: `Known kinds: ${known.join(', ')}`,
  });
}

function exitCodeOf(report: TickReport): number {
  if (report.unwritten > 0) return exitCodes.unreachable.code;
  const halts = [...report.halted.values()].map(({ exitCode = 0 }) => exitCode);
  if (Math.max(0, ...halts) > 0) return Math.max(...halts);
  const isAnyEnded = report.reaped.some(({ state }) => state === 'failed' || state === 'held');
  return isAnyEnded || report.failed > 0 || report.held > 0 ? exitCodes.someFailed.code : exitCodes.ok.code;
}

function render(report: TickReport, output: Output): void {
  for (const task of report.tasks) {
    const { id: taskId, kind, attempt, state, durationMs } = task;
    const facts = { taskId, kind, attempt, durationMs, state: state ?? 'lost' };
    const name = `Task ${task.id} (${task.kind})`;
    const why = task.error === null ? '' : `: ${task.error}`;
    if (task.state === 'failed') output.warn(`${name} failed${why} (tend tasks show ${task.id})`, facts);
    if (task.state === 'held') output.warn(`${name} is held${why} (tend tasks resolve ${task.id})`, facts);
    if (task.state === 'waiting' && task.outcome === 'failed') {
      output.summary(`${name} failed and will be tried again${why}`, facts);
    }
    if (task.state === 'succeeded') output.summary(`${name} succeeded in ${task.durationMs} ms`, facts);
    if (task.state === undefined) {
      output.warn(
        `${name} ended (${task.outcome}), but the database could not be told; it will be found lost`,
        facts,
      );
    }
    if (task.state === null)
      output.warn(`${name} ended after its lease was lost; another worker decides about it`, facts);
  }
  for (const [kind, { reason, exitCode, isNews }] of report.halted) {
    const line = `${kind}: ${reason}; what is due waits`;
    const facts = { kind, ...(exitCode === undefined ? {} : { exitCode }) };
    if (exitCode !== undefined && isNews) output.warn(line, facts);
    else output.summary(line, facts);
  }
  if (report.isIdle) output.summary('Nothing is due.');
  else output.summary(describe(report));
}

function describe(report: TickReport): string {
  const names = [
    'succeeded',
    'failed',
    'held',
    'retried',
    'cancelled',
    'released',
    'lost',
    'unwritten',
  ] as const;
  const parts = names.filter((name) => report[name] > 0).map((name) => `${report[name]} ${name}`);
  if (report.reaped.length > 0) parts.push(`${report.reaped.length} lost by dead workers`);
  if (report.pruned > 0) parts.push(`${report.pruned} old tasks pruned`);
  return parts.length === 0 ? 'Nothing could be claimed.' : `Tick: ${parts.join(', ')}.`;
}
