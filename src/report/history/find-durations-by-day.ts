import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';

/** How long the attempts of one kind took, day by day. */
export interface KindDurations {
  kind: string;
  attempts: number;
  /** Of the last fourteen days, oldest first; null on a day without an attempt. */
  days: { day: string; medianMs: number | null; longestMs: number | null }[];
}

/** The four kinds that took most time in the last fourteen days; attempts that ended by themselves, well or not. */
export async function findDurationsByDay(db: Kysely<Database>): Promise<KindDurations[]> {
  const { rows } = await sql<KindDurations>`
    with days as materialized (
      select generate_series((now() at time zone 'UTC')::date - 13, (now() at time zone 'UTC')::date, interval '1 day') as day
    ), took as materialized (
      select t.kind, date_trunc('day', a.started_at at time zone 'UTC') as day,
             extract(epoch from a.finished_at - a.started_at)::float8 * 1000 as ms
        from tend.attempts a join tend.tasks t on t.id = a.task_id
       where a.outcome in ('succeeded', 'failed')
         and a.started_at >= ((now() at time zone 'UTC')::date - 13)::timestamp at time zone 'UTC'
    ), kinds as (
      select kind, count(*) as attempts, sum(ms) as total from took group by kind order by total desc, kind limit 4
    ), by_day as (
      select kind, day, percentile_cont(0.5) within group (order by ms) as median, max(ms) as longest
        from took group by kind, day
    )
    select k.kind, k.attempts, jsonb_agg(jsonb_build_object('day', to_char(d.day, 'YYYY-MM-DD'), 'medianMs', b.median,
             'longestMs', b.longest) order by d.day) as days
      from kinds k cross join days d left join by_day b on b.kind = k.kind and b.day = d.day
     group by k.kind, k.attempts, k.total order by k.total desc, k.kind`.execute(db);
  return rows;
}
