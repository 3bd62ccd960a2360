import type { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config/schema.ts';
import type { ConnectionSettings } from '../../connection/settings.ts';
import { requireOwnDatabase } from '../../database/require-own-database.ts';
import type { Database } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import type { SecretRegistry } from '../../redact.ts';
import { queueVersion } from '../cut-over/queue-schema.ts';
import { openRemote } from '../remotes/open-remote.ts';
import { remoteBackupStore } from '../remotes/remote-backup-store.ts';
import { backupDirectory } from '../sets/backup-directory.ts';
import { type BackupStore, directoryStore } from '../sets/backup-store.ts';
import { systemIdentifier } from '../sets/database-facts.ts';
import { findBackupRecords } from '../sets/find-backup-records.ts';
import { findSetsInUse } from './find-sets-in-use.ts';
import { isRetentionConfigured, keepRulesFor } from './keep-rules.ts';
import { type PrunePlan, planPrune } from './plan-prune.ts';

export interface RetentionOptions {
  config: Config;
  baseDirectory: string;
  /** The remote whose sets it is about; undefined for the backup directory. */
  remote?: string | undefined;
  connection: ConnectionSettings;
  db: Kysely<Database>;
  /** Of this host, in the queue. */
  host: string;
  clock: Clock;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  signal: AbortSignal;
  /** Keeps what is younger, besides what `keep` keeps. */
  olderThanMs?: number | undefined;
}

/** The place that retention is about; a remote is not connected yet. */
export async function openRetainedPlace(options: RetentionOptions): Promise<BackupStore> {
  const { config, baseDirectory, remote } = options;
  if (remote === undefined) return directoryStore(backupDirectory(config, baseDirectory));
  return remoteBackupStore(await openRemote({ ...options, name: remote }));
}

/**
 * Decides what becomes of the sets in a place; changes nothing.
 *
 * @throws TendError CONFIG_INVALID where nothing says what may go, DATABASE_IS_A_COPY, REMOTE_….
 */
export async function planForPlace(options: RetentionOptions, store: BackupStore): Promise<PrunePlan> {
  const { config, connection, remote, db, clock, olderThanMs } = options;
  const keep = keepRulesFor(config, remote);
  if (olderThanMs === undefined && !isRetentionConfigured(keep)) throw nothingToGoBy(remote);
  if ((await queueVersion(db)) !== undefined) await requireOwnDatabase(db);
  return await planPrune({
    store,
    database: { name: connection.database, systemIdentifier: await systemIdentifier(db) },
    records: await findBackupRecords(db),
    findInUse: async (sets) => await findSetsInUse({ db, sets }),
    keep,
    olderThanMs,
    now: clock.now(),
  });
}

function nothingToGoBy(remote: string | undefined): TendError {
  const section = remote === undefined ? '[backup]' : `[backup.remotes.${remote}]`;
  const where = remote === undefined ? '[backup] keep keeps none' : `no keep of remote "${remote}" keeps any`;
  return new TendError('CONFIG_INVALID', `Nothing says which backup sets may go: ${where}.`, {
    hint: `Set it in tend.toml: ${section} keep = { last = 3, daily = 7, weekly = 5, monthly = 12 }; or give --older-than 30d.`,
    isPermanent: true,
  });
}
