import { checkTimezone } from './check-timezone.ts';
import { nextOccurrence } from './next-occurrence.ts';
import { parseCron } from './parse-cron.ts';
import type { ScheduleRow, ScheduleSummary } from './schedule-row.ts';

/** The next occurrence of a schedule that no tick has planned yet is computed here, from when it was defined. */
export function toScheduleSummary(row: ScheduleRow): ScheduleSummary {
  const { last_task: id, last_state: state, last_finished_at: finishedAt } = row;
  return {
    name: row.name,
    source: row.source,
    declaredBy: row.declared_by,
    cron: row.cron,
    timezone: row.timezone,
    kind: row.kind,
    queue: row.queue,
    priority: row.priority,
    host: row.host,
    catchUp: row.catch_up,
    maxLateMs: row.max_late_ms,
    overlap: row.overlap,
    isEnabled: row.enabled,
    disabledReason: row.disabled_reason,
    nextSlot: row.is_planned || !row.enabled ? row.next_slot : firstSlot(row, row.defined_at),
    lastSlot: row.last_slot,
    lastTask: id === null || state === null ? null : { id, state, finishedAt },
    problem: row.problem,
    conflict: row.conflict,
    isPending: false,
  };
}

/** The first occurrence after `after`; null where there is none, or expression or zone cannot be read. */
export function firstSlot(rule: { cron: string; timezone: string }, after: Date): Date | null {
  const parsed = parseCron(rule.cron);
  if ('problem' in parsed || checkTimezone(rule.timezone) !== undefined) return null;
  return nextOccurrence({ cron: parsed.cron, timezone: rule.timezone, after }) ?? null;
}
