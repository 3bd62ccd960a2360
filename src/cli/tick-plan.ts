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
  const plan = await planTick({
    db: await context.openDatabase(),
    worker: workerIdentity(hostName(context)),
    kinds: [...knownKinds(context.config).keys()],
    onlyKinds: flags.kinds,
    onlyQueues: flags.queues,
    hostLimit: context.config.tasks.max_running,
    limit: flags.limit,
  });
  const wouldReap = plan.wouldReap.map(({ id, kind, owner }) => ({ id, kind, worker: describeOwner(owner) }));
  const result = { dryRun: true, wouldReap, due: plan.due };
  return { result, render: (output) => render(plan, output) };
}

function render(plan: TickPlan, output: Output): void {
  for (const { id, kind, owner } of plan.wouldReap) {
    output.print(`Would take back task ${id} (${kind}) from ${describeOwner(owner)}, which is gone.`);
  }
  if (plan.due.length === 0) {
    output.print('Nothing is due.');
    return;
  }
  const rows = plan.due.map(({ id, kind, queue, runAt, blockedBy, resumedBy }) => [
    ...[String(id), kind, queue, formatTime(runAt)],
    blockedBy === null ? 'would run' : `blocked: ${blockedBy}${resumedBy === null ? '' : ` (${resumedBy})`}`,
  ]);
  const columns = ['ID', 'KIND', 'QUEUE', 'DUE SINCE', 'PLAN'];
  output.table(columns, rows);
}
