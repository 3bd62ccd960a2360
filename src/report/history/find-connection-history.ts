import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';

/** The most sessions that were seen in one half hour, and the most that were idle in a transaction; null without a sample. */
export interface ConnectionPeak {
  at: Date;
  total: number | null;
  idleInTransaction: number | null;
}

/** The last 24 hours in half hours, oldest first; undefined where this database keeps no samples. */
export async function findConnectionHistory(db: Kysely<Database>): Promise<ConnectionPeak[] | undefined> {
  const { rows: known } = await sql<{ isKept: boolean }>`
    select to_regclass('tend.connection_samples') is not null as "isKept"`.execute(db);
  if (known[0]?.isKept !== true) return undefined;
  const { rows } = await sql<ConnectionPeak>`
    select h.at, max(s.total) as total, max(s.idle_in_transaction) as "idleInTransaction"
      from (select date_bin('30 minutes', now(), 'epoch') - n * interval '30 minutes' as at from generate_series(0, 47) n) h
      left join tend.connection_samples s on s.sampled_at >= h.at and s.sampled_at < h.at + interval '30 minutes'
     group by h.at order by h.at`.execute(db);
  return rows;
}
