import { hostname } from 'node:os';
import * as v from 'valibot';
import { backupExitCode } from '../../backups/backup-report.ts';
import { createBackup } from '../../backups/create-backup.ts';
import { databasePart, filesPart, type Manifest, totalRows } from '../../backups/manifest.ts';
import { recordBackup } from '../../backups/record-backup.ts';
import type { RunningTask, TaskHandler, TaskResult } from './handler.ts';

const payloadSchema = v.strictObject({
  label: v.optional(v.pipe(v.string(), v.maxLength(200))),
  /** False leaves out `[backup] files`. */
  files: v.optional(v.boolean()),
});
type Payload = v.InferOutput<typeof payloadSchema>;

/** Kind `backup`: takes one backup set. */
export const backupHandler: TaskHandler<Payload> = { payloadSchema, run };

async function run(task: RunningTask<Payload>): Promise<TaskResult> {
  const { context, payload, log, progress, signal } = task;
  const taskId = task.id > 0 ? task.id : null;
  const set = await createBackup({
    ...context,
    taskId,
    label: payload.label ?? null,
    includeFiles: payload.files === false ? 'no' : 'yes',
    host: context.config.tasks.host ?? hostname(),
    log,
    progress,
    signal,
  });
  await recordBackup({ db: context.db, set, taskId, log });
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
    },
    exitCode: backupExitCode(manifest),
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
