import { formatDuration } from '../duration.ts';
import { plainText } from '../plain-text.ts';
import type { EnqueuedTask, ShownTask, Sibling } from '../tasks/show-task.ts';
import type { AttemptSummary } from '../tasks/task-row.ts';
import type { Output } from './output.ts';
import { formatTime } from './task-table.ts';

/** One task with the history of its attempts, what each left as evidence, and the tasks it enqueued. */
export function printTask(task: ShownTask, output: Output): void {
  const { paint } = output;
  const state = task.reason === null ? task.state : `${task.state}: ${task.reason}`;
  output.print(paint('bold', `Task ${task.id} · ${task.kind} · ${state}`));
  const facts: [string, string | null][] = [
    ['queue', task.queue === 'default' ? null : task.queue],
    ['run at', formatTime(task.runAt)],
    ['created', `${formatTime(task.createdAt)} by ${task.createdBy}`],
    ['finished', task.finishedAt === null ? null : formatTime(task.finishedAt)],
    ['attempts', `${task.attempt} of ${task.maxAttempts}`],
    ['unique key', task.uniqueKey],
    ['mutex', task.mutex],
    ['host', task.host],
    ['schedule', task.schedule],
    ['occurrence', task.slotAt === null ? null : formatTime(task.slotAt)],
    ['every host', task.siblings.length === 0 ? null : describeSiblings(task.siblings)],
    ['worker', task.worker],
    ['lease until', task.leaseUntil === null ? null : formatTime(task.leaseUntil)],
    ['cancel', task.isCancelRequested && task.state === 'running' ? 'requested' : null],
    ['enqueued by', task.enqueuedBy === null ? null : `task ${task.enqueuedBy}`],
    ['payload', JSON.stringify(task.payload).slice(0, 2000)],
  ];
  for (const [name, value] of facts) {
    if (value !== null) output.print(`  ${name.padEnd(12)}${value}`);
  }
  for (const attempt of task.attempts) printAttempt(attempt, output);
  printEnqueued(task.enqueued, output);
}

const mostShown = 20;

function printEnqueued(enqueued: readonly EnqueuedTask[], output: Output): void {
  for (const { id, kind, state } of enqueued.slice(0, mostShown)) {
    output.print(`Enqueued task ${id} · ${kind} · ${state}`);
  }
  const rest = enqueued.length - mostShown;
  if (rest > 0) output.print(`… and ${rest} more (--json lists all)`);
}

/** `one of 2: web1 12 succeeded, web2 13 waiting`. */
function describeSiblings(siblings: readonly Sibling[]): string {
  const each = siblings.map(({ id, host, state }) => `${host ?? 'any host'} ${id} ${state}`);
  return `one of ${siblings.length}: ${each.join(', ')}`;
}

function printAttempt(attempt: AttemptSummary, output: Output): void {
  const { startedAt, finishedAt } = attempt;
  const took =
    finishedAt === null ? '' : ` after ${formatDuration(finishedAt.getTime() - startedAt.getTime())}`;
  const exit = attempt.exitCode === null ? '' : `, exit code ${attempt.exitCode}`;
  output.print(
    `Attempt ${attempt.attempt} · ${formatTime(startedAt)} on ${attempt.worker} · ${attempt.outcome}${took}${exit}`,
  );
  if (attempt.error !== null) output.print(`  error: ${plainText(attempt.error)}`);
  if (attempt.evidence !== null) output.print(`  evidence: ${JSON.stringify(attempt.evidence)}`);
  const tail = plainText(attempt.outputTail ?? '').trimEnd();
  if (tail !== '') output.print(tail.replaceAll(/^/gm, '  | '));
}
