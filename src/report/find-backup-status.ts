import type { Kysely } from 'kysely';
import type { Database } from '../database/tables.ts';
import { findBackups, type KnownBackup } from './find-backups.ts';

/** What `tend status` shows of the backups; keys of its JSON contract. */
export interface BackupStatus {
  /** How many sets there are. */
  count: number;
  newest: Omit<KnownBackup, 'contents'> | null;
  /** The newest set that nothing is known against, and the newest that was found good when it was read or restored. */
  lastGood: BackupMark | null;
  lastVerified: BackupMark | null;
  /** Sizes of the last twenty sets, oldest first. */
  sizes: number[];
  /** The last test restore that passed. */
  lastRestoreTest: { id: string; testedAt: Date; ageMs: number; restoreMs: number } | null;
  /** How long restoring the newest set should take: the last test restore, by the size of the database. */
  recoveryMs: number | null;
  /** Whether an enabled schedule takes backups. */
  isScheduled: boolean;
  /** How long the queue has been in this database: a new one need not have a backup yet. */
  installedMs: number;
}

export interface BackupMark {
  id: string;
  finishedAt: Date;
  ageMs: number;
}

/** The newest set and what is known of its worth. */
export async function findBackupStatus(db: Kysely<Database>): Promise<BackupStatus> {
  const { sets, isScheduled, installedMs } = await findBackups(db);
  const [newest] = sets;
  if (newest === undefined) return { ...nothing, isScheduled, installedMs };
  const { contents: _, ...shown } = newest;
  const tested = lastTested(sets);
  const good = sets.filter(({ verifyError }) => verifyError === null);
  return {
    ...{ count: sets.length, newest: shown },
    lastGood: mark(good[0]),
    lastVerified: mark(good.find(({ verifiedAt }) => verifiedAt !== null)),
    sizes: sets
      .slice(0, 20)
      .map(({ bytes }) => bytes)
      .toReversed(),
    ...describeTest(newest, tested),
    ...{ isScheduled, installedMs },
  };
}

const nothing = {
  ...{ count: 0, newest: null, lastGood: null, lastVerified: null },
  ...{ sizes: [], lastRestoreTest: null, recoveryMs: null },
};

function mark(set: KnownBackup | undefined): BackupMark | null {
  return set === undefined ? null : { id: set.id, finishedAt: set.finishedAt, ageMs: set.ageMs };
}

/** The set whose test restore was the last one that passed. */
export function lastTested(sets: readonly KnownBackup[]): KnownBackup | undefined {
  return sets
    .filter(({ restoreTestedAt }) => restoreTestedAt !== null)
    .toSorted((left, right) => (left.restoreTestAgeMs ?? 0) - (right.restoreTestAgeMs ?? 0))[0];
}

function describeTest(
  newest: KnownBackup,
  tested: KnownBackup | undefined,
): Pick<BackupStatus, 'lastRestoreTest' | 'recoveryMs'> {
  const { id, restoreTestedAt = null, restoreTestAgeMs = null, restoreMs = null } = tested ?? { id: '' };
  if (tested === undefined || restoreTestedAt === null || restoreTestAgeMs === null || restoreMs === null)
    return { lastRestoreTest: null, recoveryMs: null };
  const growth = tested.databaseBytes > 0 ? newest.databaseBytes / tested.databaseBytes : 1;
  return {
    lastRestoreTest: { id, testedAt: restoreTestedAt, ageMs: restoreTestAgeMs, restoreMs },
    recoveryMs: Math.round(restoreMs * growth),
  };
}
