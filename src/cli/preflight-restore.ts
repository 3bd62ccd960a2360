import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { appControls } from '../app/app-controls.ts';
import { findUnfinishedRestores } from '../backups/cut-over/find-unfinished-restores.ts';
import { findIdentity } from '../backups/parts/find-identity.ts';
import { requireIdentity } from '../backups/parts/require-identity.ts';
import { findRestoreDirectory } from '../backups/restore/find-restore-directory.ts';
import { openMaintenanceDatabase } from '../backups/restore/maintenance-database.ts';
import { planRestore } from '../backups/restore/plan-restore.ts';
import { refusePooler } from '../backups/restore/refuse-pooler.ts';
import { refuseUnfinished } from '../backups/restore/refuse-unfinished.ts';
import { findRestoreSource } from '../backups/restore/restore-source.ts';
import { backupDirectory } from '../backups/sets/backup-directory.ts';
import { newBackupId } from '../backups/sets/backup-id.ts';
import type { Manifest } from '../backups/sets/manifest.ts';
import { refuseUnfit } from '../backups/within/plan-within.ts';
import { silentLog } from '../log.ts';
import { isProcessAlive } from '../processes/process-identity.ts';
import type { CommandContext } from './command-context.ts';
import type { RestoreFlags } from './restore-body.ts';

/**
 * Refuses what somebody mistyped before there is a task: one that fails is on record for good, and is told by mail. Looks at
 * what a restore looks at first, and warns of nothing: the restore itself does both again.
 *
 * @throws TendError those of `restoreBackup` and `restoreWithin` for what can be known without reading the set.
 */
export async function preflightRestore(context: CommandContext, flags: RestoreFlags): Promise<void> {
  const { config, baseDirectory, clock } = context;
  const { source, into } = flags;
  const connection = await context.connection();
  const directory =
    config.backup.directory === undefined ? undefined : backupDirectory(config, baseDirectory);
  const { database } = connection;
  const uid = process.getuid?.();
  const set = await findRestoreSource({ ...context, source, directory, database, uid });
  await lookForKey(context, set.manifest);
  if (flags['in-place']) refuseUnfit({ set, includeFiles: flags['no-files'] ? 'no' : 'yes' });
  if (into === undefined && !flags['no-restart'])
    appControls({ ...context, app: config.app, log: silentLog }).preflight?.();
  const applicationName = 'tend restore';
  await refusePooler({ connection, applicationName, clock });
  await using maintenance = await openMaintenanceDatabase({ connection, applicationName });
  if (into === undefined) {
    const live = await context.openDatabase();
    const journals = findRestoreDirectory(context);
    const place = { db: maintenance, live, database: connection.database, directory: journals };
    const unfinished = await findUnfinishedRestores(place);
    // One that is at work is no unfinished one, and its task is what is in the way.
    refuseUnfinished(
      unfinished.filter(({ record }) => record === undefined || !isProcessAlive(record.process)),
    );
  }
  if (flags['in-place']) return;
  const id = newBackupId(clock.now());
  await planRestore({ set, source, connection, maintenance, into, id });
}

/** A pipe, as `--identity <(age -d key.age)` makes one, can be read only once: that is left to the restore. */
async function lookForKey(context: CommandContext, manifest: Manifest): Promise<void> {
  const { config, baseDirectory } = context;
  const file = config.backup.identity_file;
  const found =
    file === undefined ? undefined : await stat(resolve(baseDirectory, file)).catch(() => undefined);
  if (found !== undefined && !found.isFile()) return;
  requireIdentity(manifest, await findIdentity({ ...context, manifest, log: silentLog }));
}
