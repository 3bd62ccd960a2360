import type { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/tables.ts';
import type { Log } from '../../log.ts';
import type { RestoreFacts } from '../cut-over/find-restores.ts';
import { RestoreJournal } from '../cut-over/restore-journal.ts';
import { wasReplaced } from './witness.ts';

interface JournalledOptions {
  facts: RestoreFacts;
  journalDirectory: string;
  taskId: number | null;
  /** A session of the live database. */
  live: Kysely<Database>;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
}

/**
 * Runs the two halves of a restore in place with a journal: `load` replaces what is in the database, or changes nothing;
 * `bringUp` makes the application use it. Only what is killed or stopped in between stays unfinished: whoever was told
 * how it ended has nothing to go on with.
 */
export async function journalled<T>(
  options: JournalledOptions,
  { load, bringUp }: { load: () => Promise<void>; bringUp: () => Promise<T> },
): Promise<T> {
  const { signal } = options;
  const journal = await RestoreJournal.begin({ ...options, directory: options.journalDirectory });
  try {
    await load();
  } catch (error) {
    if (await hasChangedNothing(options)) await journal.remove();
    throw error;
  }
  await journal.note('cut-over');
  try {
    const result = await bringUp();
    await journal.note('finished');
    return result;
  } catch (error) {
    if (!signal.aborted) await journal.note('finished');
    throw error;
  }
}

/** Where the connection was lost at the very end, nobody has heard whether it was committed. */
async function hasChangedNothing({ live, facts }: JournalledOptions): Promise<boolean> {
  const witness = facts.within?.witness ?? null;
  try {
    return witness === null || !(await wasReplaced(live, witness));
  } catch {
    return false;
  }
}
