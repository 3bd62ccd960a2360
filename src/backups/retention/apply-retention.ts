import type { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Config } from '../../config/schema.ts';
import type { ConnectionSettings } from '../../connection/settings.ts';
import { requireOwnDatabase } from '../../database/require-own-database.ts';
import type { Database } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { queueVersion } from '../cut-over/queue-schema.ts';
import { backupDirectory } from '../sets/backup-directory.ts';
import { lockBackups } from '../sets/backup-lock.ts';
import { type BackupStore, directoryStore } from '../sets/backup-store.ts';
import { systemIdentifier } from '../sets/database-facts.ts';
import { findBackupRecords } from '../sets/find-backup-records.ts';
import { recordRemoved } from '../sets/record-backup.ts';
import { recordPresence } from '../sets/record-presence.ts';
import { sweepPartials } from '../sets/sweep-partials.ts';
import { carryOutPrune, type PruneReport } from './carry-out-prune.ts';
import { findSetsInUse } from './find-sets-in-use.ts';
import { type PrunePlan, planPrune } from './plan-prune.ts';
import { isRetentionConfigured } from './plan-retention.ts';

export interface RetentionOptions {
  config: Config;
  baseDirectory: string;
  connection: ConnectionSettings;
  db: Kysely<Database>;
  /** Of this host, in the queue. */
  host: string;
  clock: Clock;
  /** Keeps what is younger, besides what `[backup] keep` keeps. */
  olderThanMs?: number | undefined;
}

/**
 * What `applyRetention` would do; changes nothing.
 *
 * @throws TendError CONFIG_INVALID where nothing says what may go, DATABASE_IS_A_COPY, those of the connection: without
 *   the records a set that did not verify could pass for a good one.
 */
export async function previewRetention(options: RetentionOptions): Promise<PrunePlan> {
  const directory = backupDirectory(options.config, options.baseDirectory);
  return await planFor(options, directoryStore(directory));
}

/**
 * Removes the sets of this database in the backup directory that nothing keeps, and notes in `tend.backups` what went
 * and what is not there any more. Nobody else writes or restores there meanwhile.
 *
 * @throws TendError as `previewRetention`, and BACKUP_BUSY; a set that cannot be removed is in the report.
 */
export async function applyRetention(
  options: RetentionOptions & { log: Log; signal: AbortSignal },
): Promise<PruneReport> {
  const { config, baseDirectory, db, clock, log } = options;
  const directory = backupDirectory(config, baseDirectory);
  const store = directoryStore(directory);
  using _lock = await lockBackups(directory);
  const plan = await planFor(options, store);
  await sweepPartials(directory, log);
  const report = await carryOutPrune({
    ...options,
    plan,
    store,
    onRemoved: async (set, reason) => await recordRemoved({ db, set, at: clock.now(), reason, log }),
  });
  await recordPresence({ ...options, directory });
  return report;
}

async function planFor(options: RetentionOptions, store: BackupStore): Promise<PrunePlan> {
  const { config, connection, db, clock, olderThanMs } = options;
  const { keep = {} } = config.backup;
  if (olderThanMs === undefined && !isRetentionConfigured(keep)) throw nothingToGoBy();
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

function nothingToGoBy(): TendError {
  return new TendError('CONFIG_INVALID', 'Nothing says which backup sets may go: [backup] keep keeps none.', {
    hint: 'Set it in tend.toml: [backup] keep = { last = 3, daily = 7, weekly = 5, monthly = 12 }; or give --older-than 30d.',
    isPermanent: true,
  });
}
