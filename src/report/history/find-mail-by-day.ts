import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';

/** Messages whose sending ended on one day of UTC. */
export interface DayMail {
  day: string;
  sent: number;
  partlySent: number;
  refused: number;
  unknown: number;
}

/** The last fourteen days, oldest first; as far back as the tasks of the messages are kept. */
export async function findMailByDay(db: Kysely<Database>): Promise<DayMail[]> {
  const { rows } = await sql<DayMail>`
    select to_char(d.day, 'YYYY-MM-DD') as day, count(*) filter (where m.state = 'sent') as sent,
           count(*) filter (where m.state = 'partly-sent') as "partlySent",
           count(*) filter (where m.state = 'refused') as refused, count(*) filter (where m.state = 'unknown') as unknown
      from generate_series((now() at time zone 'UTC')::date - 13, (now() at time zone 'UTC')::date, interval '1 day') d (day)
      left join (select state, date_trunc('day', coalesce(finished_at, committing_at) at time zone 'UTC') as day
                   from tend.deliveries where coalesce(finished_at, committing_at) > now() - interval '15 days') m
        on m.day = d.day
     group by d.day order by d.day`.execute(db);
  return rows;
}
