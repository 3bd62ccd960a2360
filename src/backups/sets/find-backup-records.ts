import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { isUnprepared } from './record-backup.ts';

/** What the queue remembers of a set, beyond what its manifest says. */
export interface BackupRecord {
  /** When it was last found good, and how; null where nobody looked. */
  verifiedAt: Date | null;
  verifiedBy: 'read' | 'restore' | null;
  /** When a test restore last passed, and how long it took. */
  restoreTestedAt: Date | null;
  restoreMs: number | null;
  /** Why it is not good. */
  verifyError: string | null;
}

/** The records of all sets by id; none where the database has no queue, or one of before there were such records. */
export async function findBackupRecords(db: Kysely<Database>): Promise<Map<string, BackupRecord>> {
  try {
    const { rows } = await sql<BackupRecord & { id: string }>`
      select id, verified_at as "verifiedAt", restore_tested_at as "restoreTestedAt", restore_ms as "restoreMs",
             last_verify_error as "verifyError",
             case when verified_at = restore_tested_at then 'restore'
                  when verified_at is not null then 'read' end as "verifiedBy"
        from tend.backups`.execute(db);
    return new Map(rows.map(({ id, ...record }) => [id, record]));
  } catch (error) {
    if (isUnprepared(error)) return new Map();
    throw error;
  }
}
