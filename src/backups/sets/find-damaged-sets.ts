import type { Config } from '../../config/schema.ts';
import { backupDirectory, type DamagedSet } from './backup-directory.ts';
import { directoryStore } from './backup-store.ts';
import { findPartProblem } from './find-part-problem.ts';

/** What lies in the backup directory of this host. */
export interface DirectorySurvey {
  directory: string;
  /** How many sets lie there as they were written, by the sizes of their parts. */
  whole: number;
  damaged: Pick<DamagedSet, 'id' | 'problem' | 'isForbidden'>[];
}

/** Looks at every set of the backup directory without reading its content; undefined where none is configured. */
export async function findDamagedSets(options: {
  config: Config;
  baseDirectory: string;
}): Promise<DirectorySurvey | undefined> {
  const { config, baseDirectory } = options;
  if (config.backup.directory === undefined) return undefined;
  const directory = backupDirectory(config, baseDirectory);
  const { sets, damaged: unreadable } = await directoryStore(directory).listBackups();
  const damaged: DirectorySurvey['damaged'] = unreadable.map((one) => ({
    ...one,
    problem: one.problem.replace(/\.$/, ''),
  }));
  for (const set of sets) {
    const problem = await findPartProblem(set);
    if (problem !== undefined) damaged.push({ id: set.id, problem });
  }
  return { directory, whole: sets.length + unreadable.length - damaged.length, damaged };
}
