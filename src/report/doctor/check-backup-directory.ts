import { findDamagedSets } from '../../backups/sets/find-damaged-sets.ts';
import { countOf } from '../../count-of.ts';
import type { DoctorCheck } from './doctor-check.ts';

const shown = 3;

/** Every set in the backup directory of this host lies there as it was written. Reads no content. */
export const checkBackupDirectory: DoctorCheck = {
  name: 'backup-directory',
  needs: 'configuration',
  async run({ loadedConfig }) {
    const survey = await findDamagedSets(loadedConfig);
    if (survey === undefined) return { status: 'ok', text: 'none is configured' };
    const { directory, whole, damaged } = survey;
    if (damaged.length === 0) return { status: 'ok', text: `${countOf(whole, 'set')} in ${directory}` };
    const some = damaged.slice(0, shown).map(({ id, problem }) => `"${id}": ${problem}`);
    const more = damaged.length > shown ? `; ${damaged.length - shown} more` : '';
    return {
      status: 'fail',
      text: `damaged in ${directory}: ${some.join('; ')}${more}`,
      fix: damaged.some(({ isForbidden }) => isForbidden)
        ? `Run tend as the user who owns them: ls -l ${directory}`
        : 'Take another, then remove them: tend backup',
    };
  },
};
