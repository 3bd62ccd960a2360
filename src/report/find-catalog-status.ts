import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/** What `tend status` shows of the translations; keys of its JSON contract. */
export interface CatalogStatus {
  /** How many message catalogs have a result on record, over all hosts. */
  catalogs: number;
  /** Those whose last result is a failure, by host and path; at most fifty. */
  failed: { host: string; path: string; message: string | null; checkedAt: Date }[];
}

/** The last result of every message catalog. */
export async function findCatalogStatus(db: Kysely<Database>): Promise<CatalogStatus> {
  const { rows } = await sql<{ catalogs: number }>`select count(*) as catalogs from tend.catalogs`.execute(
    db,
  );
  const { rows: failed } = await sql<CatalogStatus['failed'][number]>`
    select host, path, message, checked_at as "checkedAt" from tend.catalogs
     where result = 'failed' order by host, path limit 50`.execute(db);
  return { catalogs: rows[0]?.catalogs ?? 0, failed };
}
