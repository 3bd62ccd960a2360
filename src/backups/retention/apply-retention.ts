import type { Log } from '../../log.ts';
import { backupDirectory } from '../sets/backup-directory.ts';
import { lockBackups, lockRemote } from '../sets/backup-lock.ts';
import { recordRemoved } from '../sets/record-backup.ts';
import { recordPresence } from '../sets/record-presence.ts';
import { sweepPartials } from '../sets/sweep-partials.ts';
import { carryOutPrune, type PruneReport } from './carry-out-prune.ts';
import { openRetainedPlace, planForPlace, type RetentionOptions } from './plan-for-place.ts';
import type { PrunePlan } from './plan-prune.ts';

/**
 * What `applyRetention` would do; changes nothing.
 *
 * @throws TendError CONFIG_INVALID where nothing says what may go, DATABASE_IS_A_COPY, REMOTE_…, those of the connection:
 *   without the records a set that did not verify could pass for a good one.
 */
export async function previewRetention(options: RetentionOptions): Promise<PrunePlan> {
  return await planForPlace(options, await openRetainedPlace(options));
}

/**
 * Removes the sets of this database that nothing keeps, in the backup directory or in a remote. Nobody else writes or
 * restores in the directory meanwhile, and nobody copies from here to the remote.
 *
 * @throws TendError as `previewRetention`, and BACKUP_BUSY; a set that cannot be removed is in the report.
 */
export async function applyRetention(options: RetentionOptions & { log: Log }): Promise<PruneReport> {
  const { remote } = options;
  return remote === undefined ? await pruneDirectory(options) : await pruneRemote({ ...options, remote });
}

/** Notes in `tend.backups` what went, and what is not there any more. */
async function pruneDirectory(options: RetentionOptions & { log: Log }): Promise<PruneReport> {
  const { config, baseDirectory, db, clock, log } = options;
  const directory = backupDirectory(config, baseDirectory);
  const store = await openRetainedPlace(options);
  using _lock = await lockBackups(directory);
  const plan = await planForPlace(options, store);
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

/** A machine without a backup directory copies nothing there, so that it has nothing to lock. */
async function pruneRemote(options: RetentionOptions & { log: Log; remote: string }): Promise<PruneReport> {
  const { config, baseDirectory, remote } = options;
  const store = await openRetainedPlace(options);
  const isLocked = config.backup.directory !== undefined;
  using _lock = isLocked ? await lockRemote(backupDirectory(config, baseDirectory), remote) : undefined;
  const plan = await planForPlace(options, store);
  return await carryOutPrune({ ...options, plan, store });
}
