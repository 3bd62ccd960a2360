import { type PreviewedOccurrence, previewOccurrences } from '../schedules/preview-occurrences.ts';
import { knownKinds } from '../tasks/handlers/registry.ts';
import { planTick, type TickPlan } from '../tasks/plan-tick.ts';
import { describeOwner, workerIdentity } from '../tasks/worker-identity.ts';
import type { CommandContext, CommandOutcome } from './command-context.ts';
import { hostName } from './handler-context.ts';
import type { Output } from './output.ts';
import { formatTime } from './task-table.ts';
import type { TickFlags } from './tick-flags.ts';

/** `run-due-tasks --dry-run`: what a tick would do now, without doing it. */
export async function planBody(context: CommandContext, flags: TickFlags): Promise<CommandOutcome> {
  const db = await context.openDatabase();
  const plan = await planTick({
    db,
    worker: workerIdentity(hostName(context)),
    kinds: [...knownKinds(context.config).keys()],
    onlyKinds: flags.kinds,
    onlyQueues: flags.queues,
    hostLimit: context.config.tasks.max_running,
    limit: flags.limit,
  });
  const wouldReap = plan.wouldReap.map(({ id, kind, owner }) => ({ id, kind, worker: describeOwner(owner) }));
  const occurrences = await previewOccurrences({ db, limit: flags.limit });
  const result = { dryRun: true, wouldReap, occurrences, due: plan.due };
  return { result, render: (output) => render(plan, occurrences, output) };
}

function render(plan: TickPlan, occurrences: readonly PreviewedOccurrence[], output: Output): void {
  for (const { id, kind, owner } of plan.wouldReap) {
    output.print(`Would take back task ${id} (${kind}) from ${describeOwner(owner)}, which is gone.`);
  }
  for (const { schedule, slotAt, reason } of occurrences) {
    const what = reason === null ? 'enqueue' : 'leave out';
    const why = reason === null ? '' : ` (${reason})`;
    output.print(`Would ${what} the occurrence of ${formatTime(slotAt)} of schedule "${schedule}"${why}.`);
  }
  if (plan.due.length === 0) {
    if (occurrences.length === 0) output.print('Nothing is due.');
    return;
  }
  const rows = plan.due.map(({ id, kind, queue, runAt, blockedBy, resumedBy }) => [
    ...[String(id), kind, queue, formatTime(runAt)],
    blockedBy === null ? 'would run' : `blocked: ${blockedBy}${resumedBy === null ? '' : ` (${resumedBy})`}`,
  ]);
  const columns = ['ID', 'KIND', 'QUEUE', 'DUE SINCE', 'PLAN'];
  output.table(columns, rows);
}
