import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import type { PlannableSchedule } from './plan-occurrences.ts';

export interface DueSchedule extends PlannableSchedule {
  name: string;
}

/** Enabled schedules with an occurrence due by the database's clock, or not planned yet. Takes no lock. */
export async function findDueSchedules(options: {
  db: Kysely<Database>;
  limit: number;
}): Promise<DueSchedule[]> {
  const { rows } = await sql<DueSchedule>`
    select name, cron, timezone, catch_up as "catchUp", round(extract(epoch from max_late) * 1000)::float8 as "maxLateMs",
           case when isfinite(next_slot) then next_slot end as "nextSlot", defined_at as "definedAt"
      from tend.schedules
     where enabled and next_slot <= now()
     order by next_slot, name limit ${options.limit}`.execute(options.db);
  return rows;
}
