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

/** One reading of the tasks, however many there are. The last fourteen days, oldest first, days without a task included; as far back as the tasks are kept. */
export async function findOutcomesByDay(db: Kysely<Database>): Promise<DayOutcomes[]> {
  const { rows } = await sql<DayOutcomes>`
    with ended as (
      select date_trunc('day', finished_at at time zone 'UTC') as day, state, count(*) as tasks
        from tend.tasks where finished_at >= ((now() at time zone 'UTC')::date - 13)::timestamp at time zone 'UTC'
       group by 1, 2
    )
    select to_char(d.day, 'YYYY-MM-DD') as day, ${tasksOf('succeeded')} as succeeded, ${tasksOf('failed')} as failed,
           ${tasksOf('missed')} as missed, ${tasksOf('cancelled')} as cancelled
      from generate_series((now() at time zone 'UTC')::date - 13, (now() at time zone 'UTC')::date, interval '1 day') d (day)
      left join ended e on e.day = d.day
     group by d.day order by d.day`.execute(db);
  return rows;
}

function tasksOf(state: Exclude<keyof DayOutcomes, 'day'>) {
  return sql`coalesce(sum(e.tasks) filter (where e.state = ${state}), 0)::int8`;
}
