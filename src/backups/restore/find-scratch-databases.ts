import { type Kysely, sql } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/tables.ts';
import { writeMark } from '../cut-over/database-marks.ts';

/** By then whoever made a database has marked it long ago. */
const unmarkedForMs = 3_600_000;

/**
 * What restores that were killed may have left for `database`, with nobody connected to it. One without a mark is from
 * between its making and its marking; whose it is nobody knows then, so that no restore drops it.
 */
export async function findScratchDatabases(
  db: Kysely<Database>,
  { database, clock }: { database: string; clock: Pick<Clock, 'now'> },
): Promise<string[]> {
  const iso = new Date(clock.now().getTime() - unmarkedForMs).toISOString();
  const before = iso.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_');
  const { rows } = await sql<{ name: string }>`
    select d.datname as name
      from pg_catalog.pg_database d
     cross join lateral (select pg_catalog.shobj_description(d.oid, 'pg_database') as text) as mark
     where d.datname ~ '_(tend|verify)_[0-9]{8}_[0-9]{6}_[0-9a-f]{4}$'
       and (mark.text = ${writeMark({ kind: 'scratch', database })}
         or mark.text is null and left(right(d.datname, 20), 15) collate "C" < ${before})
       and pg_catalog.pg_has_role(d.datdba, 'MEMBER')
       and not exists (select from pg_catalog.pg_stat_activity a
         where a.datid = d.oid and a.backend_type <> 'autovacuum worker')
     order by 1`.execute(db);
  return rows.map(({ name }) => name);
}
