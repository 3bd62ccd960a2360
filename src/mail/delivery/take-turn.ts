import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';

export interface TakeTurnOptions {
  db: Kysely<Database>;
  /** What is limited: a server, or a domain. */
  bucket: string;
  /** Least time between two turns. */
  paceMs: number;
  /** A turn that is further away is not taken. */
  patienceMs: number;
}

export interface Turn {
  /** Until the turn; where it was not taken, until the earliest one. */
  waitMs: number;
  isTaken: boolean;
}

/**
 * Takes the next turn of a bucket, over all processes: the generic cell rate algorithm without a burst, so that messages
 * leave evenly. The row's lock is held for the statement only.
 */
export async function takeTurn(options: TakeTurnOptions): Promise<Turn> {
  const { db, bucket, paceMs, patienceMs } = options;
  const pace = sql`${paceMs}::float8 * interval '1 ms'`;
  const { rows } = await sql<Turn>`
    with taken as (
      insert into tend.mail_rates as r (bucket, next_at) values (${bucket}, clock_timestamp() + ${pace})
      on conflict (bucket) do update set next_at = greatest(r.next_at, clock_timestamp()) + ${pace}
       where r.next_at <= clock_timestamp() + ${patienceMs}::float8 * interval '1 ms'
      returning next_at - ${pace} as turn_at
    )
    select exists (select from taken) as "isTaken",
           greatest(extract(epoch from coalesce(
             (select turn_at from taken), (select next_at from tend.mail_rates where bucket = ${bucket}))
             - clock_timestamp())::float8 * 1000, 0) as "waitMs"`.execute(db);
  return rows[0] ?? { waitMs: paceMs, isTaken: false };
}
