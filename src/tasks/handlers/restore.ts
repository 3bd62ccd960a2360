import { hostname } from 'node:os';
import * as v from 'valibot';
import { appControls } from '../../app/app-controls.ts';
import { backupDirectory } from '../../backups/backup-directory.ts';
import { findIdentity } from '../../backups/find-identity.ts';
import { restoreBackup } from '../../backups/restore-backup.ts';
import { restoreJobs, workDirectory } from '../../backups/restore-resources.ts';
import { findRestoreSource } from '../../backups/restore-source.ts';
import { TendError } from '../../errors.ts';
import type { HandlerContext, RunningTask, TaskHandler, TaskResult } from './handler.ts';

const name = v.pipe(v.string(), v.nonEmpty());
const payloadSchema = v.strictObject({
  /** An id, `latest`, or the path of a set. */
  source: name,
  /** A new database; without it the live one is replaced. */
  into: v.optional(name),
  /** The name of the live database, where it is replaced. */
  confirm: v.optional(name),
  /** False neither restarts nor checks the application. */
  restart: v.optional(v.boolean()),
  /** How many sessions load at once; as configured unless given. */
  jobs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(64))),
  /** False leaves `[backup] files` alone. */
  files: v.optional(v.boolean()),
});
type Payload = v.InferOutput<typeof payloadSchema>;

/** Kind `restore`: restores a backup set in place of the live database, or into a new one beside it. */
export const restoreHandler: TaskHandler<Payload> = { payloadSchema, run };

async function run(task: RunningTask<Payload>): Promise<TaskResult> {
  const { context, payload, log, progress, signal } = task;
  const { config, baseDirectory, connection, secrets } = context;
  requireConfirmation(payload, connection.database);
  const directory =
    config.backup.directory === undefined ? undefined : backupDirectory(config, baseDirectory);
  const set = await findRestoreSource({
    source: payload.source,
    directory,
    baseDirectory,
    uid: process.getuid?.(),
  });
  const identity = await findIdentity({ manifest: set.manifest, config, baseDirectory, log, secrets });
  const result = await restoreBackup({
    ...context,
    set,
    identity,
    applicationName: `tend restore ${hostname()}:${process.pid}`,
    into: payload.into,
    app: payload.restart === false ? {} : appOf(context, task),
    lockDirectory: directory,
    toolsDirectory: config.backup.tools_directory,
    workDirectory: workDirectory({ config, baseDirectory, env: context.env }),
    jobs: payload.jobs ?? restoreJobs(config),
    files: payload.files === false ? undefined : { backup: config.backup, baseDirectory },
    log,
    progress,
    signal,
  });
  return { outcome: 'succeeded', evidence: { ...result } };
}

function requireConfirmation({ into, confirm }: Payload, database: string): void {
  if (into !== undefined || confirm === database) return;
  const why = confirm === undefined ? 'it is not confirmed' : `"${confirm}" was confirmed`;
  throw new TendError('CONFIRMATION_MISSING', `Database "${database}" is not replaced: ${why}.`, {
    hint: `Confirm it by its name: --confirm ${database}`,
    isPermanent: true,
  });
}

function appOf(context: HandlerContext, { log }: Pick<RunningTask<unknown>, 'log'>) {
  const { config, ...rest } = context;
  return appControls({ ...rest, app: config.app, log });
}
