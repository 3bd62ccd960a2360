import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/** The row of view `tend.health`. */
export interface Health {
  checkedAt: Date;
  isOk: boolean;
  problems: string[];
  due: number;
  running: number;
  held: number;
  failedLastDay: number;
  missedLastDay: number;
  /** When the first of the due tasks was; null where none is due. */
  oldestDueAt: Date | null;
  oldestDueAgeMs: number | null;
}

/** What the database itself says is wrong, the same as any monitor can ask it. */
export async function findHealth(db: Kysely<Database>): Promise<Health> {
  const { rows } = await sql<Health>`
    select checked_at as "checkedAt", ok as "isOk", problems, due, running, held, failed_last_day as "failedLastDay",
           missed_last_day as "missedLastDay", case when due > 0 then next_due_at end as "oldestDueAt",
           case when due > 0 then round(extract(epoch from checked_at - next_due_at) * 1000)::float8 end as "oldestDueAgeMs"
      from tend.health`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('tend.health has no row.');
  return row;
}
