import { formatDuration } from '../duration.ts';
import type { BackupStatus } from './find-backup-status.ts';

const dayMs = 86_400_000;
/** Where no schedule says how often: a week, and a day to notice. */
const oldMs = 8 * dayMs;
/** For so long an installation is new, and need not have a backup yet. */
const newMs = 2 * dayMs;

export interface JudgeBackupAgeOptions {
  backups: Pick<BackupStatus, 'lastGood' | 'isScheduled' | 'installedMs'>;
  /** `[monitor.thresholds] backup_age`: undefined leaves the judgement to the rule below. */
  limitMs: number | undefined;
  /** `[backup] directory` is set. */
  hasDirectory: boolean;
}

/**
 * What is wrong with the age of the newest good backup; undefined where nothing is. The one rule of `tend status` and `tend
 * doctor`, beside what view `tend.health` says of a schedule whose last backup is missing. A limit that the operator has set
 * holds from the first minute: the data is older than tend. Without one, an installation has two days to make its first.
 */
export function judgeBackupAge({
  backups,
  limitMs,
  hasDirectory,
}: JudgeBackupAgeOptions): string | undefined {
  const { lastGood, isScheduled, installedMs } = backups;
  if (lastGood === null) {
    const isDue = limitMs !== undefined || ((isScheduled || hasDirectory) && installedMs >= newMs);
    return isDue ? 'there is no good backup' : undefined;
  }
  const text = `the newest good backup is ${formatDuration(lastGood.ageMs)} old`;
  if (limitMs !== undefined) return lastGood.ageMs > limitMs ? text : undefined;
  return isScheduled || lastGood.ageMs < oldMs ? undefined : `${text}, and no schedule takes another`;
}

/** The same of `[monitor.thresholds] verify_age`, where it is set. */
export function judgeVerifyAge(
  lastVerified: BackupStatus['lastVerified'],
  limitMs: number,
): string | undefined {
  if (lastVerified === null) return 'no backup was ever verified';
  if (lastVerified.ageMs <= limitMs) return undefined;
  return `the newest verified backup is ${formatDuration(lastVerified.ageMs)} old`;
}

/** Whether view `tend.health` says this of a backup that its schedule misses. */
export function isMissingBackup(problem: string): boolean {
  return problem.startsWith('the backup due at ');
}
