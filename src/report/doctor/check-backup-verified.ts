import { countOf } from '../../count-of.ts';
import { formatDuration } from '../../duration.ts';
import { findBackupStatus } from '../find-backup-status.ts';
import { findBackups } from '../find-backups.ts';
import { judgeVerifyAge } from '../judge-backups.ts';
import type { DoctorCheck } from './doctor-check.ts';

const dayMs = 86_400_000;
/** A weekly verification, and another week to notice. */
const oldMs = 14 * dayMs;

/** A backup was found good lately, or as lately as `[monitor.thresholds] verify_age` says, and none is known to be bad. */
export const checkBackupVerified: DoctorCheck = {
  name: 'backup-verified',
  needs: 'identity',
  async run({ openDatabase, loadedConfig }) {
    const db = await openDatabase();
    const { sets, firstAgeMs } = await findBackups(db);
    const bad = sets.filter(({ verifyError }) => verifyError !== null);
    const [first] = bad;
    if (first !== undefined) {
      const text = `${bad.length} of ${countOf(sets.length, 'backup set')} ${bad.length === 1 ? 'is' : 'are'} not good, the newest of them "${first.id}": ${first.verifyError}`;
      return { status: 'fail', text, fix: `tend backup, then tend backup verify ${first.id}` };
    }
    const fix = '[schedules.verify] with kind = "verify-backup" in tend.toml, or tend backup verify';
    const limitMs = loadedConfig.config.monitor.thresholds.verify_age;
    if (limitMs !== undefined) {
      const { lastVerified } = await findBackupStatus(db);
      const problem = judgeVerifyAge(lastVerified, limitMs);
      if (problem !== undefined) return { status: 'warn', text: problem, fix };
    }
    const ages = sets.flatMap(({ verifiedAgeMs }) => verifiedAgeMs ?? []);
    if (ages.length === 0) {
      const isNew = (firstAgeMs ?? 0) < oldMs;
      if (isNew) return { status: 'ok', text: 'none was verified yet' };
      return { status: 'warn', text: 'no backup was ever verified', fix };
    }
    const text = `one was last found good ${formatDuration(Math.min(...ages))} ago`;
    return limitMs !== undefined || Math.min(...ages) < oldMs
      ? { status: 'ok', text }
      : { status: 'warn', text, fix };
  },
};
