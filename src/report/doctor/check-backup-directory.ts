import { backupDirectory } from '../../backups/backup-directory.ts';
import { directoryStore } from '../../backups/backup-store.ts';
import { findPartProblem } from '../../backups/find-part-problem.ts';
import type { DoctorCheck } from './doctor-check.ts';

const shown = 3;

/** Everything in the backup directory of this host is a set that lies there as it was written. Reads no content. */
export const checkBackupDirectory: DoctorCheck = {
  name: 'backup-directory',
  needs: 'configuration',
  async run({ loadedConfig }) {
    const { config, baseDirectory } = loadedConfig;
    if (config.backup.directory === undefined) return { status: 'ok', text: 'none is configured' };
    const directory = backupDirectory(config, baseDirectory);
    const { sets, damaged } = await directoryStore(directory).listBackups();
    const found = damaged.map(({ id, problem }) => `"${id}": ${problem.replace(/\.$/, '')}`);
    for (const set of sets) {
      const problem = await findPartProblem(set);
      if (problem !== undefined) found.push(`"${set.id}": ${problem}`);
    }
    if (found.length === 0) return { status: 'ok', text: `${sets.length} sets in ${directory}` };
    const more = found.length > shown ? `; ${found.length - shown} more` : '';
    return {
      status: 'fail',
      text: `damaged in ${directory}: ${found.slice(0, shown).join('; ')}${more}`,
      fix: 'Take another, then remove them: tend backup',
    };
  },
};
