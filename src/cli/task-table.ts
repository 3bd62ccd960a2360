import type { TaskSummary } from '../tasks/task-row.ts';
import type { Output } from './output.ts';

/** Tasks as a table. Times are UTC, to the second; what matters most comes before the free text that may be cut. */
export function printTasks(tasks: readonly TaskSummary[], output: Output): void {
  const columns = ['ID', 'KIND', 'STATE', 'ATTEMPT', 'RUN AT', 'FINISHED', 'WORKER', 'NOTE'];
  const rows = tasks.map((task) => [
    ...[String(task.id), task.kind, task.state, `${task.attempt}/${task.maxAttempts}`],
    ...[formatTime(task.runAt), formatTime(task.finishedAt), task.worker ?? ''],
    note(task),
  ]);
  output.table(columns, rows);
}

/** `2026-11-22 02:30:00Z`, or nothing; a time that no `Date` can hold (PostgreSQL's `infinity`) as it is. */
export function formatTime(time: Date | null): string {
  if (time === null) return '';
  if (!(time instanceof Date) || Number.isNaN(time.getTime())) return String(time);
  return `${time.toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

function note(task: TaskSummary): string {
  if (task.state === 'succeeded') return '';
  const reason = task.reason ?? '';
  const error = task.lastError ?? '';
  // What a task is held for is often the error of its last attempt.
  const text = reason.includes(error) ? reason : error.includes(reason) ? error : `${reason}: ${error}`;
  return text.replaceAll(/\s+/g, ' ');
}
