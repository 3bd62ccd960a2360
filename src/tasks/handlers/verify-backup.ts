import * as v from 'valibot';
import { findSet } from '../../backups/find-backup-set.ts';
import { findIdentity } from '../../backups/find-identity.ts';
import { recordVerified } from '../../backups/record-backup.ts';
import { verifyBackup } from '../../backups/verify-backup.ts';
import type { RunningTask, TaskHandler, TaskResult } from './handler.ts';

const payloadSchema = v.strictObject({
  id: v.optional(v.string()),
  /** Reads the copy there, not the set here. */
  remote: v.optional(v.string()),
});
type Payload = v.InferOutput<typeof payloadSchema>;

/** Kind `verify-backup`: reads a set from beginning to end; the newest one unless an id is given. */
export const verifyBackupHandler: TaskHandler<Payload> = { payloadSchema, run };

async function run(task: RunningTask<Payload>): Promise<TaskResult> {
  const { context, payload, log, signal } = task;
  const { config, baseDirectory, db, clock, env, secrets } = context;
  const { remote } = payload;
  const source = payload.id ?? 'latest';
  const set = await findSet({ ...context, remote, source, cwd: baseDirectory, signal });
  const identity = await findIdentity({ manifest: set.manifest, config, baseDirectory, log, secrets });
  const toolsDirectory = config.backup.tools_directory;
  const verified = await verifyBackup({ set, identity, toolsDirectory, env, log, signal });
  if (remote === undefined) await recordVerified({ db, id: set.id, at: clock.now(), log });
  return { outcome: 'succeeded', evidence: { ...verified, remote: remote ?? null } };
}
