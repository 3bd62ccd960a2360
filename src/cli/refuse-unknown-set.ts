import { findSet } from '../backups/sets/find-backup-set.ts';
import { TendError } from '../errors.ts';
import type { CommandContext } from './command-context.ts';

/**
 * Refuses an id that nobody has a set of in the backup directory, before there is a task that fails. Any other trouble with the set
 * is for the task, which has it on record.
 *
 * @throws TendError BACKUP_NOT_FOUND.
 */
export async function refuseUnknownSet(context: CommandContext, id: string | undefined): Promise<void> {
  if (id === undefined) return;
  try {
    await findSet({ ...context, remote: undefined, source: id, cwd: context.baseDirectory });
  } catch (error) {
    if (error instanceof TendError && error.code === 'BACKUP_NOT_FOUND') throw error;
  }
}
