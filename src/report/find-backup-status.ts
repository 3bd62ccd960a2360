import type { Kysely } from 'kysely';
import type { Database } from '../database/tables.ts';
import { findBackups, type KnownBackup } from './find-backups.ts';

/** What `tend status` shows of the backups; keys of its JSON contract. */
export interface BackupStatus {
  /** How many sets there are. */
  count: number;
  newest: Omit<KnownBackup, 'contents'> | null;
  /** The last test restore that passed. */
  lastRestoreTest: { id: string; testedAt: Date; ageMs: number; restoreMs: number } | null;
  /** How long restoring the newest set should take: the last test restore, by the size of the database. */
  recoveryMs: number | null;
}

/** The newest set and what is known of its worth. */
export async function findBackupStatus(db: Kysely<Database>): Promise<BackupStatus> {
  const { sets } = await findBackups(db);
  const [newest] = sets;
  if (newest === undefined) return { count: 0, newest: null, lastRestoreTest: null, recoveryMs: null };
  const { contents: _, ...shown } = newest;
  const tested = lastTested(sets);
  return { count: sets.length, newest: shown, ...describeTest(newest, tested) };
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
