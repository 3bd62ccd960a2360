import * as v from 'valibot';
import { copyToRemotes } from '../../backups/remotes/copy-to-remotes.ts';
import { remoteNames } from '../../backups/remotes/open-remote.ts';
import { backupDirectory, findBackup } from '../../backups/sets/backup-directory.ts';
import type { RunningTask, TaskHandler, TaskResult } from './handler.ts';

const payloadSchema = v.strictObject({
  /** The newest set unless given. */
  id: v.optional(v.string()),
  /** All that are configured unless given. */
  remotes: v.optional(v.array(v.string())),
});
type Payload = v.InferOutput<typeof payloadSchema>;

/** Kind `push-backup`: copies a set that is here to remotes, or goes on where that was cut off. */
export const pushBackupHandler: TaskHandler<Payload> = { payloadSchema, run };

async function run(task: RunningTask<Payload>): Promise<TaskResult> {
  const { context, payload, log, progress, signal } = task;
  const { config, baseDirectory } = context;
  const remotes = remoteNames(config, payload.remotes);
  const directory = backupDirectory(config, baseDirectory);
  const set = await findBackup({ source: payload.id ?? 'latest', directory, baseDirectory });
  const { copies, failures } = await copyToRemotes({
    ...context,
    set,
    directory,
    remotes,
    log,
    progress,
    signal,
  });
  const [failure] = failures;
  // Where no remote has it, the task has failed, and is tried again.
  if (failure !== undefined && failures.length === copies.length) throw failure;
  const evidence = { id: set.id, remotes: copies };
  return { outcome: 'succeeded', evidence, exitCode: failures.length > 0 ? 3 : 0 };
}
