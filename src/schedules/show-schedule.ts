import { type Kysely, sql } from 'kysely';
import { closestName } from '../closest-name.ts';
import type { Database } from '../database/tables.ts';
import { TendError } from '../errors.ts';
import type { TaskState } from '../tasks/states.ts';
import { checkTimezone } from './check-timezone.ts';
import { type DescribedOccurrence, describeOccurrences } from './describe-occurrences.ts';
import { listSchedules } from './list-schedules.ts';
import { parseCron } from './parse-cron.ts';
import type { ScheduleSummary } from './schedule-row.ts';
import type { ConfiguredSchedules } from './schedules-fingerprint.ts';

export interface ShownSchedule extends ScheduleSummary {
  payload: Record<string, unknown>;
  /** The coming occurrences, by the schedule's own clock; empty where it is disabled or cannot be planned. */
  next: DescribedOccurrence[];
  /** The newest occurrences, newest first, those left out with their reason. */
  recent: {
    taskId: number;
    slotAt: Date | null;
    state: TaskState;
    reason: string | null;
    host: string | null;
  }[];
}

const recentOnes = 10;

/**
 * One schedule with its coming and its newest occurrences.
 *
 * @throws TendError SCHEDULE_NOT_FOUND.
 */
export async function showSchedule(options: {
  db: Kysely<Database>;
  configured: ConfiguredSchedules;
  host: string;
  name: string;
  /** How many coming occurrences. */
  count: number;
}): Promise<ShownSchedule> {
  const { db, configured, name, count } = options;
  const schedules = await listSchedules(options);
  const schedule = schedules.find((one) => one.name === name);
  if (schedule === undefined)
    throw scheduleNotFound(
      name,
      schedules.map((one) => one.name),
    );
  const { rows } = await sql<{ payload: Record<string, unknown>; after: Date }>`
    select payload, greatest(now(), defined_at) as after from tend.schedules where name = ${name}
    union all select null, now() limit 1`.execute(db);
  const recent = await sql<ShownSchedule['recent'][number]>`
    select id as "taskId", slot_at as "slotAt", state, reason, host from tend.tasks
     where schedule = ${name} order by coalesce(slot_at, created_at) desc, id desc limit ${recentOnes}`.execute(
    db,
  );
  const payload = rows[0]?.payload ?? configured[name]?.payload ?? {};
  const after = rows[0]?.after ?? new Date(0);
  return { ...schedule, payload, next: nextOnes(schedule, after, count), recent: recent.rows };
}

function nextOnes(schedule: ScheduleSummary, after: Date, count: number): DescribedOccurrence[] {
  const parsed = parseCron(schedule.cron);
  const isPlannable = schedule.isEnabled && checkTimezone(schedule.timezone) === undefined;
  if (!isPlannable || 'problem' in parsed) return [];
  return describeOccurrences({ cron: parsed.cron, timezone: schedule.timezone, after, count });
}

/** @param names of all there are, to suggest the one that was meant. */
export function scheduleNotFound(name: string, names: readonly string[]): TendError {
  const guess = closestName(name, names);
  const question = guess === undefined ? '' : ` Did you mean "${guess}"?`;
  return new TendError('SCHEDULE_NOT_FOUND', `There is no schedule "${name}".${question}`, {
    hint: 'tend schedules',
  });
}
