import { hostname } from 'node:os';
import * as v from 'valibot';
import { appControls } from '../../app/app-controls.ts';
import { createBackup } from '../../backups/create/create-backup.ts';
import { findIdentity } from '../../backups/parts/find-identity.ts';
import { findRestoreDirectory } from '../../backups/restore/find-restore-directory.ts';
import { restoreBackup } from '../../backups/restore/restore-backup.ts';
import { restoreJobs, workDirectory } from '../../backups/restore/restore-resources.ts';
import { findRestoreSource } from '../../backups/restore/restore-source.ts';
import { backupDirectory } from '../../backups/sets/backup-directory.ts';
import { mayWriteIn } from '../../backups/sets/may-write-in.ts';
import { recordBackup } from '../../backups/sets/record-backup.ts';
import { restoreWithin } from '../../backups/within/restore-within.ts';
import { TendError } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';
import type { HandlerContext, RunningTask, TaskHandler, TaskResult } from './handler.ts';
import { settleByTask } from './settle-by-task.ts';

const name = v.pipe(v.string(), v.nonEmpty('a name was expected, not an empty text'));
const payloadSchema = v.pipe(
  v.strictObject({
    /** An id, `latest`, a path, or one in a remote: `offsite:latest`. */
    source: v.optional(name),
    /** Instead of a source: ends the restore that was killed. */
    resume: v.optional(v.literal(true)),
    /** Instead of a source: goes back to what was before the newest restore, or before that of this id. */
    undo: v.optional(v.union([v.literal(true), name])),
    /** A new database; without it the live one is replaced. */
    into: v.optional(name),
    /** Within the live database, in one transaction, for a role that may not create databases. */
    inPlace: v.optional(v.literal(true)),
    /** The name of the live database, where it is replaced. */
    confirm: v.optional(name),
    /** False neither restarts nor checks the application. */
    restart: v.optional(v.boolean()),
    /** How many sessions load at once; as configured unless given. */
    jobs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(64))),
    /** False leaves `[backup] files` alone. */
    files: v.optional(v.boolean()),
  }),
  v.check(
    ({ source, resume, undo }) => [source, resume, undo].filter((one) => one !== undefined).length === 1,
    'one of source, resume and undo is needed',
  ),
  v.check(
    ({ source, into, inPlace }) => inPlace === undefined || (source !== undefined && into === undefined),
    'inPlace goes with a source, and not with into',
  ),
);
type Payload = v.InferOutput<typeof payloadSchema>;

/**
 * Kind `restore`: restores a backup set in place of the live database, or into a new one beside it; or finishes or
 * undoes such a restore.
 */
export const restoreHandler: TaskHandler<Payload> = { payloadSchema, run };

async function run(task: RunningTask<Payload>): Promise<TaskResult> {
  const { context, payload } = task;
  const { resume, undo, source = '' } = payload;
  requireConfirmation(payload, context.connection.database);
  if (resume === undefined && undo === undefined) return await restoreFrom(source, task);
  const settled = await settleByTask({
    task,
    ...restoreOptions(task),
    way: resume === undefined ? 'undo' : 'resume',
    restoreId: typeof undo === 'string' ? undo : undefined,
  });
  const { action, source: began, inPlace, into } = settled.settled;
  // It had replaced nothing when it was killed: to go on with it is to begin anew.
  if (resume === true && action === 'swept' && began !== null)
    return await restoreFrom(began, task, { inPlace, into: into ?? undefined });
  return settled.result;
}

async function restoreFrom(
  source: string,
  task: RunningTask<Payload>,
  target: { inPlace: boolean; into: string | undefined } = {
    inPlace: task.payload.inPlace === true,
    into: task.payload.into,
  },
): Promise<TaskResult> {
  const { context, payload, log, signal } = task;
  const { config, baseDirectory, secrets } = context;
  const options = restoreOptions(task);
  const directory = backupsOf(config, baseDirectory);
  const { database } = context.connection;
  const uid = process.getuid?.();
  const set = await findRestoreSource({ ...context, source, directory, database, uid, signal });
  const identity = await findIdentity({ manifest: set.manifest, config, baseDirectory, log, secrets });
  const restoring = {
    ...options,
    set,
    identity,
    // Begun anew, it is this set again, and not the newest by then.
    source: source === 'latest' ? set.id : source.replace(/:latest$/, `:${set.id}`),
    into: target.into,
    jobs: payload.jobs ?? restoreJobs(config),
    files: payload.files === false ? undefined : { backup: config.backup, baseDirectory },
  };
  const result = target.inPlace
    ? await restoreWithin({ ...restoring, backUpFirst: backUpFirst(task) })
    : await restoreBackup(restoring);
  return { outcome: 'succeeded', evidence: { ...result } };
}

/** A set of the live database, for the way back from a restore that has none by itself. */
function backUpFirst(task: RunningTask<Payload>) {
  const { context, log, progress, signal } = task;
  if (context.config.backup.directory === undefined) return undefined;
  return async (label: string) => {
    const taskId = task.id > 0 ? task.id : null;
    const about = { ...context, label, taskId, includeFiles: 'no', host: hostname() } as const;
    const set = await createBackup({ ...about, log, progress, signal });
    await recordBackup({ db: context.db, set, taskId, log });
    return set;
  };
}

/** What restoring, resuming and undoing have in common. */
function restoreOptions(task: RunningTask<Payload>) {
  const { context, payload, log, progress, signal } = task;
  const { config, baseDirectory, env } = context;
  const backups = backupsOf(config, baseDirectory);
  return {
    ...context,
    applicationName: `tend restore ${hostname()}:${process.pid}`,
    app: payload.restart === false ? {} : appOf(context, task),
    // A restore only reads there: where nothing can be written, the lock is beside the journals.
    lockDirectory: backups !== undefined && mayWriteIn(backups) ? backups : undefined,
    journalDirectory: findRestoreDirectory(context),
    taskId: task.id > 0 ? task.id : null,
    workDirectory: workDirectory({ config, baseDirectory, env }),
    keepReplacedMs: config.backup.keep_replaced,
    toolsDirectory: config.backup.tools_directory,
    ...{ log, progress, signal },
  };
}

function backupsOf(config: HandlerContext['config'], baseDirectory: string): string | undefined {
  return config.backup.directory === undefined ? undefined : backupDirectory(config, baseDirectory);
}

function requireConfirmation({ into, confirm }: Payload, database: string): void {
  if (into !== undefined || confirm === database) return;
  const why = confirm === undefined ? 'it is not confirmed' : `"${confirm}" was confirmed`;
  throw new TendError('CONFIRMATION_MISSING', `Database "${database}" is not replaced: ${why}.`, {
    hint: `Confirm it by its name: --confirm ${shellWord(database)}`,
    isPermanent: true,
  });
}

function appOf(context: HandlerContext, { log }: Pick<RunningTask<unknown>, 'log'>) {
  const { config, ...rest } = context;
  return appControls({ ...rest, app: config.app, log });
}
