import { hostname } from 'node:os';
import * as v from 'valibot';
import { createBackup } from '../../backups/create-backup.ts';
import { databasePart, totalRows } from '../../backups/manifest.ts';
import { recordBackup } from '../../backups/record-backup.ts';
import { retainAfterBackup } from '../../backups/retain-after-backup.ts';
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
  const host = context.config.tasks.host ?? hostname();
  const set = await createBackup({
    ...context,
    taskId,
    label: payload.label ?? null,
    includeFiles: payload.files === false ? 'no' : 'yes',
    host,
    log,
    progress,
    signal,
  });
  await recordBackup({ db: context.db, set, taskId, log });
  const retention = await retainAfterBackup({ ...context, host, log, signal });
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
      retention,
    },
  };
}
