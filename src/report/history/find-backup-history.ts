import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';

/** A backup set as it was taken; it may have been removed since. */
export interface TakenBackup {
  id: string;
  finishedAt: Date;
  durationMs: number;
  bytes: number;
  isRemoved: boolean;
}

/** The last thirty sets of this database, oldest first. */
export async function findBackupHistory(db: Kysely<Database>): Promise<TakenBackup[]> {
  const { rows } = await sql<TakenBackup>`
    select id, finished_at as "finishedAt", round(extract(epoch from finished_at - started_at) * 1000)::float8 as "durationMs",
           bytes, removed_at is not null as "isRemoved"
      from tend.backups where database_name = current_database()
     order by finished_at desc, id desc limit 30`.execute(db);
  return rows.toReversed();
}
