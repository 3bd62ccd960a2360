import type { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/tables.ts';
import { formatDuration } from '../../duration.ts';
import { timeOfBackupId } from '../sets/backup-id.ts';
import { findMarkedDatabases } from './find-marked-databases.ts';
import { findRestores, type RestoreRecord } from './find-restores.ts';
import { hasEnded } from './find-unfinished-restores.ts';

export interface OldReplacedOptions {
  /** Any session of the server to plan with; one outside of all of them to drop. */
  maintenance: Kysely<Database>;
  /** The live database. */
  database: string;
  /** Where the journals are: see `findRestoreDirectory`. */
  directory: string;
  /** `[backup] keep_replaced`. */
  keepMs: number;
  clock: Pick<Clock, 'now'>;
}

/** What becomes of a database that a restore has kept; keys of the JSON contract of `backup prune --dry-run`. */
export interface KeptDecision {
  name: string;
  /** Of the restore. */
  restoreId: string;
  /** Null where this role may not know. */
  sizeBytes: number | null;
  action: 'keep' | 'drop';
  reason: string;
}

/**
 * Decides about what restores have kept: a database goes when it is older than `keepMs`, and its journal with the files
 * when it is. What an unfinished restore has left stays, however old: it may be the only way back.
 *
 * @returns the journals that may go once the databases of their restores are gone, too.
 */
export async function planOldReplaced(
  options: OldReplacedOptions,
): Promise<{ decisions: KeptDecision[]; oldRecords: RestoreRecord[] }> {
  const { maintenance, database, directory, keepMs, clock } = options;
  const records = await findRestores({ directory, database });
  const ageMs = (id: string) => clock.now().getTime() - timeOfBackupId(id).getTime();
  const decisions = (await findMarkedDatabases(maintenance, database)).map(({ name, mark, sizeBytes }) => {
    const record = records.find(({ facts }) => facts.id === mark.id);
    const isNeeded = (record !== undefined && !hasEnded(record)) || (mark.kind === 'kept' && !mark.hasEnded);
    const isOld = ageMs(mark.id) > keepMs;
    const reason = isNeeded
      ? `restore ${mark.id} has not ended`
      : `kept for ${formatDuration(ageMs(mark.id))} of ${formatDuration(keepMs)}`;
    const action: KeptDecision['action'] = isOld && !isNeeded ? 'drop' : 'keep';
    return { name, restoreId: mark.id, sizeBytes, action, reason };
  });
  const oldRecords = records.filter((record) => hasEnded(record) && ageMs(record.facts.id) > keepMs);
  return { decisions, oldRecords };
}
