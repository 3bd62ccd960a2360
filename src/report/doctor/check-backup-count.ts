import { countOf } from '../../count-of.ts';
import { findBackups } from '../find-backups.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** As many good backups are there as retention keeps at least, or as many as were ever taken. */
export const checkBackupCount: DoctorCheck = {
  name: 'backup-count',
  needs: 'identity',
  async run({ openDatabase, loadedConfig }) {
    const { sets, taken } = await findBackups(await openDatabase());
    const good = sets.filter(({ verifyError }) => verifyError === null).length;
    const wanted = Math.max(2, loadedConfig.config.backup.keep?.last ?? 0);
    const text = `${countOf(good, 'good backup')} ${good === 1 ? 'is' : 'are'} there`;
    if (good >= Math.min(wanted, taken)) return { status: 'ok', text };
    return {
      status: 'warn',
      text: `${text}, and ${taken} were taken: at least ${wanted} should be left`,
      fix: 'See what became of them: select id, removed_at, removed_reason, last_verify_error from tend.backups',
    };
  },
};
