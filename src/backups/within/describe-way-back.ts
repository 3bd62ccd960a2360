import { shellWord } from '../../shell-word.ts';
import type { RestoreFacts } from '../cut-over/find-restores.ts';

/** How to get back what was in the database before a restore in place, as a command to copy. */
export function describeWayBack({ within, database }: Pick<RestoreFacts, 'within' | 'database'>): string {
  const savedAs = within?.savedAs ?? null;
  if (savedAs === null) return 'No set of the database from before was taken.';
  return `Back to what was before: tend restore ${savedAs} --in-place --confirm ${shellWord(database)}`;
}
