import type { Kysely } from 'kysely';
import type { Database } from '../database/tables.ts';
import { errorCodeOf } from '../database/translate-database-error.ts';
import { toError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { BackupSet } from './backup-directory.ts';
import { databasePart } from './manifest.ts';

/**
 * Writes a complete set into `tend.backups`, for `status` and for SQL. The directory is the truth: a database without
 * the queue's schema, or out of reach by now, does not spoil a backup.
 */
export async function recordBackup(options: {
  db: Kysely<Database>;
  set: BackupSet;
  taskId: number | null;
  log: Log;
}): Promise<void> {
  const { db, set, taskId, log } = options;
  const { manifest } = set;
  const part = databasePart(manifest);
  await unlessUnprepared(log, async () => {
    await db
      .insertInto('tend.backups')
      .values({
        id: set.id,
        task_id: taskId,
        host: manifest.host,
        directory: set.path,
        database_name: manifest.database.name,
        label: manifest.label,
        started_at: new Date(manifest.startedAt),
        finished_at: new Date(manifest.finishedAt),
        bytes: manifest.parts.reduce((sum, { bytes }) => sum + bytes, 0),
        sha256: part.sha256,
        manifest: JSON.stringify(manifest),
        verified_at: null,
      })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
  });
}

/** Notes that a set was found good; sets that the table does not know stay unknown. */
export async function recordVerified(options: {
  db: Kysely<Database>;
  id: string;
  at: Date;
  log: Log;
}): Promise<void> {
  const { db, id, at, log } = options;
  await unlessUnprepared(log, async () => {
    await db.updateTable('tend.backups').set({ verified_at: at }).where('id', '=', id).execute();
  });
}

async function unlessUnprepared(log: Log, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const isUnprepared = ['42P01', '3F000'].includes(errorCodeOf(error) ?? '');
    const line = `It was not noted in tend.backups: ${toError(error).message}`;
    if (isUnprepared) log.debug(line);
    else log.warn(line);
  }
}
