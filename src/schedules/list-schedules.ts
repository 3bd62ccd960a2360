import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { type ScheduleRow, type ScheduleSummary, scheduleColumns } from './schedule-row.ts';
import type { ConfiguredSchedules } from './schedules-fingerprint.ts';
import { firstSlot, toScheduleSummary } from './to-schedule-summary.ts';

/**
 * Every schedule by name: those of the database, and those that stand in this host's tend.toml and wait for its next
 * tick. Reads only: looking at schedules from a machine that runs none must not make it one of their hosts.
 */
export async function listSchedules(options: {
  db: Kysely<Database>;
  configured: ConfiguredSchedules;
  host: string;
}): Promise<ScheduleSummary[]> {
  const { db, configured, host } = options;
  const { rows } = await sql<ScheduleRow>`
    select ${scheduleColumns} from tend.schedule_overview o join tend.schedules s on s.name = o.name
     order by o.name`.execute(db);
  const { rows: clock } = await sql<{ now: Date }>`select now() as now`.execute(db);
  const now = clock[0]?.now ?? new Date(0);
  const known = new Set(rows.map(({ name }) => name));
  const pending = Object.entries(configured)
    .filter(([name]) => !known.has(name))
    .map(([name, schedule]) => toPending({ name, schedule, host, now }));
  return [...rows.map(toScheduleSummary), ...pending].sort((left, right) =>
    left.name < right.name ? -1 : 1,
  );
}

function toPending(options: {
  name: string;
  schedule: ConfiguredSchedules[string];
  host: string;
  now: Date;
}): ScheduleSummary {
  const { name, schedule, host, now } = options;
  const { cron, timezone, kind, queue, priority, catch_up: catchUp, max_late: maxLateMs, overlap } = schedule;
  return {
    ...{ name, source: 'config', declaredBy: [host], cron, timezone, kind, queue, priority },
    host: schedule.host ?? null,
    ...{ catchUp, maxLateMs, overlap, isEnabled: true, disabledReason: null },
    nextSlot: firstSlot(schedule, now),
    ...{ lastSlot: null, lastTask: null, problem: null, conflict: null, isPending: true },
  };
}
