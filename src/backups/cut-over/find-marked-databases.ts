import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { type DatabaseMark, readMark } from './database-marks.ts';

/** A database that restores have left beside the live one, on purpose. */
export interface MarkedDatabase {
  name: string;
  mark: Extract<DatabaseMark, { id: string }>;
  /** Null where this role may not know. */
  sizeBytes: number | null;
}

/** The databases that are kept because of restores of `database`, newest restore first; asked from any database. */
export async function findMarkedDatabases(db: Kysely<Database>, database: string): Promise<MarkedDatabase[]> {
  const { rows } = await sql<{ name: string; comment: string; sizeBytes: number | null }>`
    select d.datname as name, pg_catalog.shobj_description(d.oid, 'pg_database') as comment,
           case when pg_catalog.has_database_privilege(d.oid, 'connect')
             then pg_catalog.pg_database_size(d.oid)::float8 end as "sizeBytes"
      from pg_catalog.pg_database d
     where pg_catalog.shobj_description(d.oid, 'pg_database') like 'tend: database "%'`.execute(db);
  const marked = rows.flatMap(({ name, comment, sizeBytes }) => {
    const mark = readMark(comment);
    if (mark === undefined || mark.kind === 'scratch' || mark.database !== database) return [];
    // The mark goes with the database that was replaced; under the live name it is what somebody put back by hand.
    return name === database ? [] : [{ name, mark, sizeBytes }];
  });
  return marked.sort((left, right) => (left.mark.id < right.mark.id ? 1 : -1));
}
