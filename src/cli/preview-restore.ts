import { findUnfinishedRestores } from '../backups/cut-over/find-unfinished-restores.ts';
import { findIdentity } from '../backups/parts/find-identity.ts';
import { requireIdentity } from '../backups/parts/require-identity.ts';
import { findRestoreDirectory } from '../backups/restore/find-restore-directory.ts';
import { openMaintenanceDatabase } from '../backups/restore/maintenance-database.ts';
import { planFiles } from '../backups/restore/plan-files.ts';
import { draftRestore, type RestorePlan } from '../backups/restore/plan-restore.ts';
import { refusePooler } from '../backups/restore/refuse-pooler.ts';
import { refuseUnfinished } from '../backups/restore/refuse-unfinished.ts';
import {
  estimateRestore,
  findSessions,
  type RestoreEstimate,
  type SessionGroup,
} from '../backups/restore/restore-outlook.ts';
import { findRestoreSource } from '../backups/restore/restore-source.ts';
import { backupDirectory } from '../backups/sets/backup-directory.ts';
import { newBackupId } from '../backups/sets/backup-id.ts';
import { type BackupSummary, describeBackup } from '../backups/sets/describe-backup.ts';
import type { CommandContext } from './command-context.ts';

/** What a restore would do; keys of the JSON contract of `restore --dry-run`. */
export interface RestorePreview {
  backup: BackupSummary;
  /** False for an archive that tend did not make: how many rows it must have is not known. */
  isCompared: boolean;
  plan: RestorePlan;
  /** What was written since is not in the backup. */
  ageMs: number;
  estimate: RestoreEstimate | null;
  /** Who would be sent away. */
  sessions: SessionGroup[];
  restart: readonly string[] | null;
}

/** Goes as far as a restore goes without changing anything; what stands in its way is part of the plan. */
export async function previewRestore(
  context: CommandContext,
  options: { source: string; into: string | undefined; includeFiles: 'yes' | 'no' },
): Promise<RestorePreview> {
  const { config, baseDirectory, clock, env, log, secrets } = context;
  const { into, includeFiles } = options;
  const connection = await context.connection();
  const directory =
    config.backup.directory === undefined ? undefined : backupDirectory(config, baseDirectory);
  const uid = process.getuid?.();
  const { source } = options;
  const { database } = connection;
  const set = await findRestoreSource({ ...context, source, directory, database, uid });
  const { manifest } = set;
  requireIdentity(manifest, await findIdentity({ manifest, config, baseDirectory, log, secrets }));
  const applicationName = 'tend restore --dry-run';
  await refusePooler({ connection, applicationName, clock });
  await using maintenance = await openMaintenanceDatabase({ connection, applicationName });
  if (into === undefined) {
    const journals = findRestoreDirectory({ config, baseDirectory, env });
    const live = await context.openDatabase();
    const place = { db: maintenance, live, database, directory: journals };
    refuseUnfinished(await findUnfinishedRestores(place));
  }
  const id = newBackupId(clock.now());
  const mode = includeFiles === 'no' ? 'leave' : into === undefined ? 'replace' : 'into';
  const files = await planFiles({ ...config, baseDirectory, set, id, mode });
  const plan = await draftRestore({ set, source: options.source, connection, maintenance, into, id, files });
  const sessions = plan.live === undefined ? [] : await findSessions(maintenance, plan.target);
  const estimate = await estimateRestore({ set, db: await context.openDatabase() });
  return {
    backup: describeBackup(set),
    isCompared: set.foreign === undefined,
    plan,
    ageMs: clock.now().getTime() - new Date(set.manifest.startedAt).getTime(),
    estimate: estimate ?? null,
    sessions,
    restart: config.app.restart ?? null,
  };
}
