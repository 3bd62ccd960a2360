import { backupDirectory } from '../backups/backup-directory.ts';
import { newBackupId } from '../backups/backup-id.ts';
import { type BackupSummary, describeBackup } from '../backups/describe-backup.ts';
import { findIdentity } from '../backups/find-identity.ts';
import { openMaintenanceDatabase } from '../backups/maintenance-database.ts';
import { planFiles } from '../backups/plan-files.ts';
import { planRestore, type RestorePlan } from '../backups/plan-restore.ts';
import { refusePooler } from '../backups/refuse-pooler.ts';
import { requireIdentity } from '../backups/require-identity.ts';
import { findRestoreSource } from '../backups/restore-source.ts';
import type { CommandContext } from './command-context.ts';

/** What a restore would do; keys of the JSON contract of `restore --dry-run`. */
export interface RestorePreview {
  backup: BackupSummary;
  plan: RestorePlan;
  restart: readonly string[] | null;
}

/** Goes as far as a restore goes without changing anything. Throws what stands in its way. */
export async function previewRestore(
  context: CommandContext,
  options: { source: string; into: string | undefined; includeFiles: 'yes' | 'no' },
): Promise<RestorePreview> {
  const { config, baseDirectory, clock, log, secrets } = context;
  const connection = await context.connection();
  const directory =
    config.backup.directory === undefined ? undefined : backupDirectory(config, baseDirectory);
  const uid = process.getuid?.();
  const set = await findRestoreSource({ source: options.source, directory, baseDirectory, uid });
  const { manifest } = set;
  requireIdentity(manifest, await findIdentity({ manifest, config, baseDirectory, log, secrets }));
  const applicationName = 'tend restore --dry-run';
  await refusePooler({ connection, applicationName, clock });
  await using maintenance = await openMaintenanceDatabase({ connection, applicationName });
  const id = newBackupId(clock.now());
  const { into, includeFiles } = options;
  const mode = includeFiles === 'no' ? 'leave' : into === undefined ? 'replace' : 'into';
  const files = await planFiles({ ...config, baseDirectory, set, id, mode });
  const plan = await planRestore({ set, maintenance, database: connection.database, into, id, files });
  return { backup: describeBackup(set), plan, restart: config.app.restart ?? null };
}
