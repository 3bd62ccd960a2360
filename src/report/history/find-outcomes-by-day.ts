import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';

/** Tasks that ended on one day of UTC. */
export interface DayOutcomes {
  /** `2026-11-28`. */
  day: string;
  succeeded: number;
  failed: number;
  missed: number;
  cancelled: number;
}

/** The last fourteen days, oldest first, days without a task included; as far back as the tasks are kept. */
export async function findOutcomesByDay(db: Kysely<Database>): Promise<DayOutcomes[]> {
  const { rows } = await sql<DayOutcomes>`
    select to_char(d.day, 'YYYY-MM-DD') as day, count(*) filter (where t.state = 'succeeded') as succeeded,
           count(*) filter (where t.state = 'failed') as failed, count(*) filter (where t.state = 'missed') as missed,
           count(*) filter (where t.state = 'cancelled') as cancelled
      from generate_series((now() at time zone 'UTC')::date - 13, (now() at time zone 'UTC')::date, interval '1 day') d (day)
      left join tend.tasks t on t.finished_at >= d.day at time zone 'UTC'
                            and t.finished_at < (d.day + interval '1 day') at time zone 'UTC'
     group by d.day order by d.day`.execute(db);
  return rows;
}
