import { type BackupRecord, findBackupRecords } from '../backups/sets/find-backup-records.ts';
import { toError } from '../errors.ts';
import { untilAborted } from '../until-aborted.ts';
import type { CommandContext } from './command-context.ts';

/** The directory has the answer that matters, and on the worst day no database does. */
const patienceMs = 3000;

/** What the queue remembers of the sets; undefined where it cannot be asked. */
export async function findRecordsIfKnown(
  context: CommandContext,
): Promise<Map<string, BackupRecord> | undefined> {
  const { signal, log } = context;
  try {
    const asking = context.openDatabase().then(findBackupRecords);
    return await untilAborted(AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]), asking);
  } catch (error) {
    signal.throwIfAborted();
    log.info(`When the sets were verified is not known: ${toError(error).message}`);
    return undefined;
  }
}
