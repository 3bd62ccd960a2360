import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import type { TaskState } from '../tasks/states.ts';

/** A schedule with its next and last occurrence. */
export interface ScheduleState {
  name: string;
  source: 'config' | 'sql';
  declaredBy: string[];
  cron: string;
  timezone: string;
  kind: string;
  host: string | null;
  isEnabled: boolean;
  disabledReason: string | null;
  /** Null where it is disabled, not planned yet, or cannot be planned. */
  nextSlot: Date | null;
  /** True where its next occurrence should have become a task by now. */
  isLate: boolean;
  lastSlot: Date | null;
  lastTask: number | null;
  lastState: TaskState | null;
  lastFinishedAt: Date | null;
  problem: string | null;
  conflict: string | null;
}

/** Every schedule, by name. */
export async function findScheduleStates(db: Kysely<Database>): Promise<ScheduleState[]> {
  const { rows } = await sql<ScheduleState>`
    select name, source, declared_by as "declaredBy", cron, timezone, kind, host, enabled as "isEnabled",
           disabled_reason as "disabledReason", next_slot as "nextSlot",
           coalesce(next_slot < now() - interval '5 minutes', false) as "isLate", last_slot as "lastSlot",
           last_task as "lastTask", last_state as "lastState", last_finished_at as "lastFinishedAt", problem, conflict
      from tend.schedule_overview order by name`.execute(db);
  return rows;
}

/** What is wrong with a schedule, or undefined; nothing is with one that is disabled. */
export function findScheduleProblem(schedule: ScheduleState): string | undefined {
  if (!schedule.isEnabled) return undefined;
  if (schedule.problem !== null) return `cannot be planned: ${schedule.problem}`;
  if (schedule.conflict !== null) return `is defined twice: ${schedule.conflict}`;
  return schedule.isLate && schedule.nextSlot !== null
    ? `should have run at ${schedule.nextSlot.toISOString()}`
    : undefined;
}
