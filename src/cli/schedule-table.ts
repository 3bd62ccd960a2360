import { formatDuration } from '../duration.ts';
import type { ScheduleSummary } from '../schedules/schedule-row.ts';
import type { ShownSchedule } from '../schedules/show-schedule.ts';
import { formatZoned } from './format-zoned.ts';
import type { Output } from './output.ts';
import { formatTime } from './task-table.ts';

/** Schedules as a table; the next occurrence by each schedule's own clock. */
export function printSchedules(schedules: readonly ScheduleSummary[], output: Output): void {
  const columns = ['NAME', 'CRON', 'TIME ZONE', 'KIND', 'NEXT', 'LAST', 'STATE', 'NOTE'];
  const rows = schedules.map((schedule) => [
    ...[schedule.name, schedule.cron, schedule.timezone, schedule.kind],
    schedule.nextSlot === null ? '' : formatZoned(schedule.nextSlot, schedule.timezone),
    schedule.lastSlot === null ? '' : formatZoned(schedule.lastSlot, schedule.timezone),
    stateOf(schedule),
    noteOn(schedule),
  ]);
  output.table(columns, rows);
}

function stateOf({ isEnabled, problem, isPending, lastTask }: ScheduleSummary): string {
  if (!isEnabled) return 'disabled';
  if (problem !== null) return 'broken';
  if (isPending) return 'from the next tick';
  return lastTask === null ? 'enabled' : `task ${lastTask.id} ${lastTask.state}`;
}

function noteOn({ disabledReason, problem, conflict }: ScheduleSummary): string {
  return [disabledReason, problem, conflict].filter((text) => text !== null).join('; ');
}

/** One schedule with its coming and its newest occurrences. */
export function printSchedule(schedule: ShownSchedule, output: Output): void {
  const { paint } = output;
  output.print(paint('bold', `Schedule ${schedule.name} · ${schedule.cron} · ${schedule.timezone}`));
  const payload = JSON.stringify(schedule.payload);
  const facts: [string, string | null][] = [
    ['kind', schedule.kind],
    ['payload', payload === '{}' ? null : payload.slice(0, 2000)],
    ['queue', schedule.queue === 'default' ? null : schedule.queue],
    ['priority', schedule.priority === 0 ? null : String(schedule.priority)],
    ['host', schedule.host === '*' ? 'every host' : schedule.host],
    ['defined in', schedule.source === 'sql' ? 'SQL' : `tend.toml of ${schedule.declaredBy.join(', ')}`],
    ['catch up', `${schedule.catchUp}, at most ${formatDuration(schedule.maxLateMs)} late`],
    ['overlap', schedule.overlap],
    ['state', stateOf(schedule)],
    ['note', noteOn(schedule) || null],
  ];
  for (const [name, value] of facts) if (value !== null) output.print(`  ${name.padEnd(12)}${value}`);
  if (schedule.next.length > 0) output.print('Next:');
  for (const { at, local, offset, dst } of schedule.next) {
    output.print(`  ${local} ${offset}  ${formatTime(at)}${dst === null ? '' : `  ! ${dst}`}`);
  }
  if (schedule.recent.length > 0) output.print('Newest:');
  for (const { taskId, slotAt, state, reason, host } of schedule.recent) {
    const when = slotAt === null ? 'triggered by hand' : formatZoned(slotAt, schedule.timezone);
    const where = host === null ? '' : ` on ${host}`;
    // The reason of one that was left out begins with what became of it: skipped, superseded or missed.
    const end = state === 'missed' && reason !== null ? reason : [state, reason].filter(Boolean).join(': ');
    output.print(`  ${when}  task ${taskId}${where} ${end}`);
  }
}
