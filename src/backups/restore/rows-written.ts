import { type Kysely, sql } from 'kysely';
import { openDatabase } from '../../database/open-database.ts';
import type { Database } from '../../database/tables.ts';
import type { RestoreBackupOptions } from './restore-options.ts';

/**
 * How many rows were inserted, updated and deleted in a database since it was made, by the server's own counters;
 * schema `tend` is left out, whose rows are carried over anyway, and large objects count. Sessions report theirs at the
 * latest when they end. The counters begin anew after a crash of the server: then they have become less.
 */
export async function rowsWritten(
  options: Pick<RestoreBackupOptions, 'connection' | 'applicationName'> & { database: string },
): Promise<number> {
  const { connection, database, applicationName } = options;
  await using db = openDatabase({ connection: { ...connection, database }, applicationName });
  return await countWritten(db);
}

async function countWritten(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ written: number }>`
    select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::float8 as written
      from pg_catalog.pg_stat_all_tables
     where schemaname not in ('tend', 'pg_catalog', 'information_schema', 'pg_toast')
        or relid = 'pg_catalog.pg_largeobject_metadata'::pg_catalog.regclass
        or relid = 'pg_catalog.pg_largeobject'::pg_catalog.regclass`.execute(db);
  return rows[0]?.written ?? 0;
}
