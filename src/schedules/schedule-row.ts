import { type RawBuilder, sql } from 'kysely';
import type { TaskState } from '../tasks/states.ts';

/** A schedule as `--json` shows it. Times are ISO 8601 in UTC when printed. */
export interface ScheduleSummary {
  name: string;
  source: 'config' | 'sql';
  /** Hosts whose tend.toml has it; empty for one made by SQL. */
  declaredBy: string[];
  cron: string;
  timezone: string;
  kind: string;
  queue: string;
  priority: number;
  /** Only this host; `*` is every host, null any one. */
  host: string | null;
  catchUp: 'none' | 'latest' | 'all';
  maxLateMs: number;
  overlap: 'skip' | 'queue';
  isEnabled: boolean;
  disabledReason: string | null;
  /** The next occurrence; null where it is disabled, cannot be planned, or has none. */
  nextSlot: Date | null;
  lastSlot: Date | null;
  /** The newest occurrence that became a task to run. */
  lastTask: { id: number; state: TaskState; finishedAt: Date | null } | null;
  /** Why it cannot be planned. */
  problem: string | null;
  conflict: string | null;
  /** It stands in tend.toml and no tick on this host has read it since. */
  isPending: boolean;
}

/** What the queries of schedules select; times that have no end are null. */
export interface ScheduleRow {
  name: string;
  source: 'config' | 'sql';
  declared_by: string[];
  cron: string;
  timezone: string;
  kind: string;
  queue: string;
  priority: number;
  host: string | null;
  catch_up: 'none' | 'latest' | 'all';
  max_late_ms: number;
  overlap: 'skip' | 'queue';
  enabled: boolean;
  disabled_reason: string | null;
  next_slot: Date | null;
  is_planned: boolean;
  last_slot: Date | null;
  defined_at: Date;
  problem: string | null;
  conflict: string | null;
  last_task: number | null;
  last_state: TaskState | null;
  last_finished_at: Date | null;
}

export const scheduleColumns: RawBuilder<ScheduleRow> = sql`
  o.name, o.source, o.declared_by, o.cron, o.timezone, o.kind, o.queue, o.priority, o.host, o.catch_up,
  round(extract(epoch from o.max_late) * 1000)::float8 as max_late_ms, o.overlap, o.enabled, o.disabled_reason, o.next_slot,
  s.next_slot <> '-infinity' as is_planned, o.last_slot, s.defined_at, o.problem, o.conflict, o.last_task, o.last_state,
  o.last_finished_at`;
