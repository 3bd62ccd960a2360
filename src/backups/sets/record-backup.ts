import type { Kysely } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { errorCodeOf } from '../../database/translate-database-error.ts';
import { toError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { BackupSet } from './backup-directory.ts';
import { databasePart } from './manifest.ts';

interface RecordOptions {
  db: Kysely<Database>;
  set: BackupSet;
  log: Log;
}

/**
 * Writes a complete set into `tend.backups`, for `status` and for SQL. The directory is the truth: a database without
 * the queue's schema, or out of reach by now, does not spoil a backup.
 */
export async function recordBackup(options: RecordOptions & { taskId: number | null }): Promise<void> {
  await unlessUnprepared(options.log, async () => await insertBackup(options));
}

/**
 * Notes that a set was found good at `at`. A test restore reads the set too; reading it takes back what a reading has
 * found, but not that it could not be restored.
 *
 * @param options.restoreMs how long the test restore took; undefined where the set was only read.
 */
export async function recordVerified(
  options: RecordOptions & { at: Date; restoreMs?: number | undefined },
): Promise<void> {
  const { db, set, at, restoreMs, log } = options;
  await unlessUnprepared(log, async () => {
    await insertBackup({ ...options, taskId: null });
    const found = {
      verified_at: at,
      ...(restoreMs !== undefined && { restore_tested_at: at, restore_ms: restoreMs }),
    };
    await db.updateTable('tend.backups').set(found).where('id', '=', set.id).execute();
    await db
      .updateTable('tend.backups')
      .set({ last_verify_error: null, last_verify_error_of: null })
      .where('id', '=', set.id)
      .$if(restoreMs === undefined, (query) => query.where('last_verify_error_of', '=', 'read'))
      .execute();
  });
}

/** Notes what was found wrong with a set: it does not count as a backup until it is found good again. */
export async function recordVerifyFailure(
  options: RecordOptions & { error: string; foundBy: 'read' | 'restore' },
): Promise<void> {
  const { db, set, error, foundBy, log } = options;
  await unlessUnprepared(log, async () => {
    await insertBackup({ ...options, taskId: null });
    await db
      .updateTable('tend.backups')
      .set({ last_verify_error: error, last_verify_error_of: foundBy })
      .where('id', '=', set.id)
      .execute();
  });
}

/** Notes that a set was removed, and why; its row stays. */
export async function recordRemoved(options: RecordOptions & { at: Date; reason: string }): Promise<void> {
  const { db, set, at, reason, log } = options;
  await unlessUnprepared(log, async () => {
    await db
      .updateTable('tend.backups')
      .set({ removed_at: at, removed_reason: reason })
      .where('id', '=', set.id)
      .execute();
  });
}

/** A set that the table knows stays as it is. */
async function insertBackup(options: RecordOptions & { taskId: number | null }): Promise<void> {
  const { db, set, taskId } = options;
  const { manifest } = set;
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
      sha256: databasePart(manifest).sha256,
      manifest: JSON.stringify(manifest),
      verified_at: null,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

/** No table `tend.backups`, or one of an older version. */
export function isUnprepared(error: unknown): boolean {
  return ['42P01', '3F000', '42703'].includes(errorCodeOf(error) ?? '');
}

/** Runs what notes something; where it cannot be noted, that is a warning, or nothing where there is no queue. */
export async function unlessUnprepared(log: Log, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const line = `It was not noted in tend.backups: ${toError(error).message}`;
    if (isUnprepared(error)) log.debug(line);
    else log.warn(line);
  }
}
