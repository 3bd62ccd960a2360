import * as v from 'valibot';
import { backupDirectory, findBackup } from '../../backups/backup-directory.ts';
import { findIdentity } from '../../backups/find-identity.ts';
import { recordVerified } from '../../backups/record-backup.ts';
import { verifyBackup } from '../../backups/verify-backup.ts';
import type { RunningTask, TaskHandler, TaskResult } from './handler.ts';

const payloadSchema = v.strictObject({ id: v.optional(v.string()) });
type Payload = v.InferOutput<typeof payloadSchema>;

/** Kind `verify-backup`: reads a set from beginning to end; the newest one unless an id is given. */
export const verifyBackupHandler: TaskHandler<Payload> = { payloadSchema, run };

async function run(task: RunningTask<Payload>): Promise<TaskResult> {
  const { context, payload, log, signal } = task;
  const { config, baseDirectory, db, clock, env, secrets } = context;
  const directory = backupDirectory(config, baseDirectory);
  const set = await findBackup({ source: payload.id ?? 'latest', directory, baseDirectory });
  const identity = await findIdentity({ manifest: set.manifest, config, baseDirectory, log, secrets });
  const toolsDirectory = config.backup.tools_directory;
  const verified = await verifyBackup({ set, identity, toolsDirectory, env, log, signal });
  await recordVerified({ db, id: set.id, at: clock.now(), log });
  return { outcome: 'succeeded', evidence: { ...verified } };
}
