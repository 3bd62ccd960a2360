import { formatDuration } from '../../duration.ts';
import { findBackups } from '../find-backups.ts';
import type { DoctorCheck } from './doctor-check.ts';

const dayMs = 86_400_000;
/** A weekly verification, and another week to notice. */
const oldMs = 14 * dayMs;

/** A backup was found good lately, and none is known to be bad. */
export const checkBackupVerified: DoctorCheck = {
  name: 'backup-verified',
  needs: 'identity',
  async run({ openDatabase }) {
    const { sets, firstAgeMs } = await findBackups(await openDatabase());
    const bad = sets.filter(({ verifyError }) => verifyError !== null);
    const [first] = bad;
    if (first !== undefined) {
      const text = `${bad.length} of ${sets.length} backup sets are not good, the newest of them "${first.id}": ${first.verifyError}`;
      return { status: 'fail', text, fix: `tend backup, then tend backup verify ${first.id}` };
    }
    const fix = '[schedules.verify] with kind = "verify-backup" in tend.toml, or tend backup verify';
    const ages = sets.flatMap(({ verifiedAgeMs }) => verifiedAgeMs ?? []);
    if (ages.length === 0) {
      const isNew = (firstAgeMs ?? 0) < oldMs;
      if (isNew) return { status: 'ok', text: 'none was verified yet' };
      return { status: 'warn', text: 'no backup was ever verified', fix };
    }
    const text = `one was last found good ${formatDuration(Math.min(...ages))} ago`;
    return Math.min(...ages) < oldMs ? { status: 'ok', text } : { status: 'warn', text, fix };
  },
};
