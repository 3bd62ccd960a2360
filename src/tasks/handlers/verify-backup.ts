import { hostname } from 'node:os';
import * as v from 'valibot';
import { backupDirectory, findBackup } from '../../backups/backup-directory.ts';
import { recordVerified, recordVerifyFailure } from '../../backups/record-backup.ts';
import { testRestore } from '../../backups/test-restore.ts';
import { verifyBackup } from '../../backups/verify-backup.ts';
import { TendError } from '../../errors.ts';
import type { RunningTask, TaskHandler, TaskResult } from './handler.ts';

const payloadSchema = v.strictObject({
  id: v.optional(v.string()),
  /** True restores it into a database of its own, too, and drops that again. */
  restore: v.optional(v.boolean()),
});
type Payload = v.InferOutput<typeof payloadSchema>;

/**
 * Kind `verify-backup`: reads a set from beginning to end, and restores it as a test where that is asked for; the
 * newest one unless an id is given. What it finds is on record: a set that is not good does not count as a backup.
 */
export const verifyBackupHandler: TaskHandler<Payload> = { payloadSchema, run };

async function run(task: RunningTask<Payload>): Promise<TaskResult> {
  const { context, payload, log, progress, signal } = task;
  const { config, baseDirectory, db, clock } = context;
  const directory = backupDirectory(config, baseDirectory);
  const set = await findBackup({ source: payload.id ?? 'latest', directory, baseDirectory });
  const work = { ...context, set, toolsDirectory: config.backup.tools_directory, log, progress, signal };
  const startedMs = clock.monotonicMs();

  const verified = await noting('read', async () => {
    return await progress.step(`Verify backup set ${set.id}`, async () => await verifyBackup(work));
  });
  if (payload.restore === true) {
    const applicationName = `tend verify-backup ${hostname()}:${process.pid}`;
    await noting('restore', async () => await testRestore({ ...work, applicationName }));
  }
  const restoreMs = payload.restore === true ? Math.round(clock.monotonicMs() - startedMs) : undefined;
  await recordVerified({ db, set, at: clock.now(), restoreMs, log });
  return { outcome: 'succeeded', evidence: { ...verified, restoreMs: restoreMs ?? null } };

  async function noting<T>(foundBy: 'read' | 'restore', look: () => Promise<T>): Promise<T> {
    try {
      return await look();
    } catch (error) {
      if (error instanceof TendError && error.code === 'BACKUP_DAMAGED')
        await recordVerifyFailure({ db, set, error: error.message, foundBy, log });
      throw error;
    }
  }
}
