import { hostname } from 'node:os';
import * as v from 'valibot';
import { createBackup } from '../../backups/create/create-backup.ts';
import { copyToRemotes } from '../../backups/remotes/copy-to-remotes.ts';
import { remoteNames } from '../../backups/remotes/open-remote.ts';
import { retainAfterBackup, retainInRemotes } from '../../backups/retention/retain-after-backup.ts';
import { backupDirectory } from '../../backups/sets/backup-directory.ts';
import { backupExitCode } from '../../backups/sets/backup-report.ts';
import { databasePart, filesPart, type Manifest, totalRows } from '../../backups/sets/manifest.ts';
import { recordBackup } from '../../backups/sets/record-backup.ts';
import type { RunningTask, TaskHandler, TaskResult } from './handler.ts';

const payloadSchema = v.strictObject({
  label: v.optional(v.pipe(v.string(), v.maxLength(200))),
  /** False leaves out `[backup] files`. */
  files: v.optional(v.boolean()),
  /** With how many threads it is compressed. */
  jobs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(64))),
  /** The remotes to copy it to; all that are configured unless given. */
  remotes: v.optional(v.array(v.string())),
});
type Payload = v.InferOutput<typeof payloadSchema>;

/**
 * Kind `backup`: takes one backup set, and copies it to the remotes. The set is what counts: a remote that does not take
 * it makes exit code 3, and a task of kind `push-backup` goes on with it.
 */
export const backupHandler: TaskHandler<Payload> = { payloadSchema, run };

async function run(task: RunningTask<Payload>): Promise<TaskResult> {
  const { context, payload, log, progress, signal } = task;
  const taskId = task.id > 0 ? task.id : null;
  const { config, baseDirectory } = context;
  const remotes = remoteNames(config, payload.remotes);
  const host = config.tasks.host ?? hostname();
  const set = await createBackup({
    ...context,
    taskId,
    label: payload.label ?? null,
    includeFiles: payload.files === false ? 'no' : 'yes',
    jobs: payload.jobs,
    host,
    log,
    progress,
    signal,
  });
  await recordBackup({ db: context.db, set, taskId, log });
  const directory = backupDirectory(config, baseDirectory);
  const { copies } = await copyToRemotes({ ...context, set, directory, remotes, log, progress, signal });
  const failed = copies.filter(({ outcome }) => outcome === 'failed');
  if (taskId !== null) for (const { name } of failed) tryAgain(task, { id: set.id, remote: name, host });
  const retaining = { ...context, host, log, signal };
  const retention = await retainAfterBackup(retaining);
  const retained = await retainInRemotes({ ...retaining, copies });
  const { manifest } = set;
  const part = databasePart(manifest);
  return {
    outcome: 'succeeded',
    evidence: {
      id: set.id,
      path: set.path,
      database: manifest.database.name,
      bytes: part.bytes,
      sha256: part.sha256,
      tables: manifest.tables.length,
      rows: totalRows(manifest.tables),
      durationMs: manifest.durationMs,
      files: filesReport(manifest),
      remotes: retained,
      retention,
    },
    exitCode: backupExitCode({ files: manifest.files, remotes: retained, retention }),
  };
}

function filesReport(manifest: Manifest) {
  const { files } = manifest;
  const part = filesPart(manifest);
  if (files === undefined || part === undefined) return null;
  const { roots, unreadable, changed } = files;
  const entries = roots.reduce((sum, root) => sum + root.entries, 0);
  return { bytes: part.bytes, sha256: part.sha256, entries, unreadable, changed };
}

/** On this host, since the set lies here. */
function tryAgain(
  task: RunningTask<Payload>,
  { id, remote, host }: { id: string; remote: string; host: string },
): void {
  const uniqueKey = `push-backup:${remote}:${id}`;
  task.enqueue({
    kind: 'push-backup',
    payload: { id, remotes: [remote] },
    host,
    uniqueKey,
    delayMs: 300_000,
  });
}
