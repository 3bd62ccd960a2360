import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';

/** What became of the occurrences of one hour. */
export interface PastHour {
  hour: Date;
  good: number;
  bad: number;
}

/** Hours since three days ago (UTC) in which a schedule had an occurrence, as far as their tasks are kept. */
export async function findPastOccurrences(db: Kysely<Database>): Promise<PastHour[]> {
  const { rows } = await sql<PastHour>`
    select date_bin('1 hour', slot_at, 'epoch') as hour,
           count(*) filter (where state in ('succeeded', 'running', 'waiting')) as good,
           count(*) filter (where state in ('failed', 'held', 'missed', 'cancelled')) as bad
      from tend.tasks
     where slot_at <= now() and slot_at >= ((now() at time zone 'UTC')::date - 3)::timestamp at time zone 'UTC'
     group by 1 order by 1`.execute(db);
  return rows;
}
