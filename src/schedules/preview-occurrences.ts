import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { findDueSchedules } from './find-due-schedules.ts';
import { planOccurrences } from './plan-occurrences.ts';

export interface PreviewedOccurrence {
  schedule: string;
  slotAt: Date;
  /** Why it would be left out; null where it would be enqueued, unless an earlier one is not over then. */
  reason: string | null;
}

/** What a tick would do about schedules now, oldest schedule first. Reads only. */
export async function previewOccurrences(options: {
  db: Kysely<Database>;
  limit: number;
}): Promise<PreviewedOccurrence[]> {
  const { db, limit } = options;
  const { rows } = await sql<{ now: Date }>`select now() as now`.execute(db);
  const now = rows[0]?.now ?? new Date(0);
  const due = await findDueSchedules({ db, limit: Math.min(limit, 1000) });
  return due.flatMap((schedule) => {
    const plan = planOccurrences(schedule, { now });
    if ('problem' in plan) return [];
    return plan.occurrences.map((occurrence) => ({ schedule: schedule.name, ...occurrence }));
  });
}
