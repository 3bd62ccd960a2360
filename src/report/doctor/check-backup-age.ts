import { formatDuration } from '../../duration.ts';
import { findBackupStatus } from '../find-backup-status.ts';
import { findHealth } from '../find-health.ts';
import { isMissingBackup, judgeBackupAge } from '../judge-backups.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** The newest good backup is as new as its schedule, or the configuration, says: the rule of `tend status` too. */
export const checkBackupAge: DoctorCheck = {
  name: 'backup-age',
  needs: 'identity',
  async run({ openDatabase, loadedConfig }) {
    const db = await openDatabase();
    const missing = (await findHealth(db)).problems.filter((problem) => isMissingBackup(problem));
    if (missing.length > 0) {
      return { status: 'fail', text: missing.join('; '), fix: 'tend tasks --kind backup --all; tend backup' };
    }
    const { backup, monitor } = loadedConfig.config;
    const hasDirectory = backup.directory !== undefined;
    const backups = await findBackupStatus(db);
    const { lastGood, isScheduled } = backups;
    const limitMs = monitor.thresholds.backup_age;
    const problem = judgeBackupAge({ backups, limitMs, hasDirectory });
    if (problem === undefined) {
      if (lastGood !== null)
        return { status: 'ok', text: `the newest, ${lastGood.id}, is ${formatDuration(lastGood.ageMs)} old` };
      const isWanted = isScheduled || hasDirectory;
      return { status: 'ok', text: isWanted ? 'none yet: tend is new here' : 'no backups are taken here' };
    }
    const schedule = 'or [schedules.nightly-backup] with kind = "backup" in tend.toml';
    const fix = isScheduled || lastGood === null ? 'tend backup' : `tend backup, ${schedule}`;
    return { status: 'warn', text: problem, fix };
  },
};
