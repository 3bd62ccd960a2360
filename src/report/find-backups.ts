import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/** A set of this database that is still there, as far as `tend.backups` knows. */
export interface KnownBackup {
  id: string;
  host: string;
  finishedAt: Date;
  ageMs: number;
  /** As it is stored, and how large the database was. */
  bytes: number;
  databaseBytes: number;
  /** Uncompressed, by what the parts hold: `database`, `files`, `globals`. */
  contents: Record<string, number>;
  verifiedAt: Date | null;
  verifiedAgeMs: number | null;
  verifiedBy: 'read' | 'restore' | null;
  restoreTestedAt: Date | null;
  restoreTestAgeMs: number | null;
  restoreMs: number | null;
  /** Why it is not good. */
  verifyError: string | null;
}

export interface KnownBackups {
  /** Newest first. */
  sets: KnownBackup[];
  /** How many were ever taken, and how long ago the first of them. */
  taken: number;
  firstAgeMs: number | null;
  /** Whether an enabled schedule takes them. */
  isScheduled: boolean;
  /** How long the queue has been in this database. */
  installedMs: number;
}

/** Every backup of this database that the queue knows of, on whichever host it lies. */
export async function findBackups(db: Kysely<Database>): Promise<KnownBackups> {
  const { rows: sets } = await sql<KnownBackup>`
    select id, host, finished_at as "finishedAt", ${ageOf('finished_at')} as "ageMs", bytes,
           (manifest #>> '{database,sizeBytes}')::float8 as "databaseBytes",
           (select coalesce(jsonb_object_agg(part ->> 'holds', part -> 'uncompressedBytes'), '{}')
              from jsonb_array_elements(manifest -> 'parts') part) as contents,
           verified_at as "verifiedAt", ${ageOf('verified_at')} as "verifiedAgeMs",
           case when verified_at = restore_tested_at then 'restore' when verified_at is not null then 'read' end as "verifiedBy",
           restore_tested_at as "restoreTestedAt", ${ageOf('restore_tested_at')} as "restoreTestAgeMs",
           restore_ms as "restoreMs", last_verify_error as "verifyError"
      from tend.backups where removed_at is null and database_name = current_database()
     order by finished_at desc, id desc`.execute(db);
  const { rows } = await sql<Omit<KnownBackups, 'sets'>>`
    select count(*) as taken, ${ageOf('min(finished_at)')} as "firstAgeMs",
           exists (select from tend.schedules where kind = 'backup' and enabled) as "isScheduled",
           (select ${ageOf('created_at')} from tend.meta) as "installedMs"
      from tend.backups where database_name = current_database()`.execute(db);
  const [facts = { taken: 0, firstAgeMs: null, isScheduled: false, installedMs: 0 }] = rows;
  return { sets, ...facts };
}

function ageOf(expression: string) {
  return sql`round(extract(epoch from now() - ${sql.raw(expression)}) * 1000)::float8`;
}
