import { hostname } from 'node:os';
import * as v from 'valibot';
import { findIdentity } from '../../backups/parts/find-identity.ts';
import { requireIdentity } from '../../backups/parts/require-identity.ts';
import { restoreJobs, workDirectory } from '../../backups/restore/restore-resources.ts';
import { findSet } from '../../backups/sets/find-backup-set.ts';
import { recordVerified, recordVerifyFailure } from '../../backups/sets/record-backup.ts';
import { testRestore } from '../../backups/verify/test-restore.ts';
import { verifyBackup } from '../../backups/verify/verify-backup.ts';
import { TendError } from '../../errors.ts';
import type { RunningTask, TaskHandler, TaskResult } from './handler.ts';

const payloadSchema = v.strictObject({
  id: v.optional(v.string()),
  /** Reads the copy there, not the set here. */
  remote: v.optional(v.string()),
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
  const { config, baseDirectory, db, clock, secrets, env } = context;
  const { remote } = payload;
  const source = payload.id ?? 'latest';
  const set = await findSet({ ...context, remote, source, cwd: baseDirectory, signal });
  const identity = await findIdentity({ manifest: set.manifest, config, baseDirectory, log, secrets });
  const isTest = payload.restore === true;
  if (isTest) requireIdentity(set.manifest, identity);
  const work = {
    ...{ ...context, set, identity, log, progress, signal },
    toolsDirectory: config.backup.tools_directory,
    workDirectory: workDirectory({ config, baseDirectory, env }),
    jobs: restoreJobs(config),
    applicationName: `tend verify-backup ${hostname()}:${process.pid}`,
  };
  const startedMs = clock.monotonicMs();
  let foundBy: 'read' | 'restore' = 'read';
  try {
    const verified = isTest
      ? await testRestore({ ...work, onRead: () => (foundBy = 'restore') })
      : await verifyBackup(work);
    const restoreMs = isTest ? Math.round(clock.monotonicMs() - startedMs) : undefined;
    if (remote === undefined || isTest) await recordVerified({ db, set, at: clock.now(), restoreMs, log });
    return {
      outcome: 'succeeded',
      evidence: { ...verified, restoreMs: restoreMs ?? null, remote: remote ?? null },
    };
  } catch (error) {
    if (remote === undefined && error instanceof TendError && error.code === 'BACKUP_DAMAGED')
      await recordVerifyFailure({ db, set, error: error.message, foundBy, log });
    throw error;
  }
}
