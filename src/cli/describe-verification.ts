import type { BackupRecord } from '../backups/sets/find-backup-records.ts';
import type { Clock } from '../clock.ts';
import { formatDuration } from '../duration.ts';

/** The columns VERIFIED and RESTORED of a list of sets: how long ago, and how long a test restore took. */
export function describeVerification(record: BackupRecord | null, clock: Clock): [string, string] {
  if (record === null) return ['no', 'no'];
  const { verifiedAt, restoreTestedAt, restoreMs, verifyError } = record;
  const ago = (at: Date) => `${formatDuration(Math.max(0, clock.now().getTime() - at.getTime()))} ago`;
  const verified = verifiedAt === null ? 'no' : ago(verifiedAt);
  const took = restoreMs === null ? '' : `, took ${formatDuration(restoreMs)}`;
  return [
    verifyError === null ? verified : 'not good',
    restoreTestedAt === null ? 'no' : `${ago(restoreTestedAt)}${took}`,
  ];
}
