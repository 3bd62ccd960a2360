import { sql } from 'kysely';
import { formatDuration } from '../../duration.ts';
import { findBackups } from '../find-backups.ts';
import { findHealth } from '../find-health.ts';
import type { DoctorCheck } from './doctor-check.ts';

const dayMs = 86_400_000;
/** Where no schedule says how often: a week, and a day to notice. */
const oldMs = 8 * dayMs;
/** For so long an installation is new. */
const newMs = 2 * dayMs;

/** The newest good backup is as new as the schedule says. An installation that is new has none, and that is all right. */
export const checkBackupAge: DoctorCheck = {
  name: 'backup-age',
  needs: 'identity',
  async run({ openDatabase, loadedConfig }) {
    const db = await openDatabase();
    const missing = (await findHealth(db)).problems.filter((problem) => isBackupProblem(problem));
    if (missing.length > 0) {
      return { status: 'fail', text: missing.join('; '), fix: 'tend tasks --kind backup --all; tend backup' };
    }
    const { sets } = await findBackups(db);
    const newest = sets.find(({ verifyError }) => verifyError === null);
    const { rows } = await sql<{ isScheduled: boolean; ageMs: number }>`
      select exists (select from tend.schedules where kind = 'backup' and enabled) as "isScheduled",
             extract(epoch from now() - created_at)::float8 * 1000 as "ageMs" from tend.meta`.execute(db);
    const [{ isScheduled, ageMs } = { isScheduled: false, ageMs: 0 }] = rows;
    if (newest === undefined) {
      const isWanted = isScheduled || loadedConfig.config.backup.directory !== undefined;
      if (!isWanted) return { status: 'ok', text: 'no backups are taken here' };
      if (ageMs < newMs) return { status: 'ok', text: 'none yet: nothing is known' };
      return { status: 'warn', text: 'there is no good backup', fix: 'tend backup' };
    }
    const text = `the newest, ${newest.id}, is ${formatDuration(newest.ageMs)} old`;
    if (isScheduled || newest.ageMs < oldMs) return { status: 'ok', text };
    return {
      status: 'warn',
      text: `${text}, and no schedule takes another`,
      fix: 'tend backup, or [schedules.nightly-backup] with kind = "backup" in tend.toml',
    };
  },
};

/** What view `tend.health` says about backups. */
export function isBackupProblem(problem: string): boolean {
  return problem.startsWith('the backup due at ');
}
