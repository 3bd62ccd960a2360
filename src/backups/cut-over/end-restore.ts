import { sql } from 'kysely';
import { countOf } from '../../count-of.ts';
import { toError } from '../../errors.ts';
import { removeFresh } from '../restore/fresh-files.ts';
import { rowsWritten } from '../restore/rows-written.ts';
import { dropDatabase, markDatabase } from '../restore/scratch-database.ts';
import type { SwapWork } from './swap-work.ts';

/** Notes that a restore has come to its end: the application is well with the restored database. */
export async function endFinished(work: SwapWork): Promise<void> {
  const { journal, maintenance, log } = work;
  const { id, database, keptAs } = journal.record.facts;
  try {
    if (keptAs !== null)
      await markDatabase(maintenance, keptAs, { kind: 'kept', database, id, hasEnded: true });
  } catch (error) {
    log.warn(`Database "${keptAs}" does not say yet that the restore has ended: ${toError(error).message}`);
  }
  await journal.note('finished');
}

/**
 * Notes that a restore was undone, and drops what it had made, files included. A database that was written to while it
 * was live is not dropped: what it holds was acknowledged to somebody. It stays under its third name, like the files,
 * until retention drops it.
 *
 * @returns the name under which the restored database is kept; null where it was dropped.
 */
export async function endUndone(work: SwapWork): Promise<string | null> {
  const { journal, maintenance, log } = work;
  const { scratch, undoneAs, files, database, id } = journal.record.facts;
  const written = await writtenWhileLive(work);
  const isKept = written !== 0;
  if (isKept) {
    const what =
      written === null
        ? 'it may have been written to'
        : `${countOf(written, 'row')} ${written === 1 ? 'was' : 'were'} written into it`;
    log.warn(`What was restored is kept as "${undoneAs}": ${what} while it was live.`);
    // A database that was renamed by hand has another comment.
    await markDatabase(maintenance, undoneAs, { kind: 'undone', database, id });
  }
  // From here on nobody asks any more whether the files are in place.
  await journal.note('undone');
  await drop(work, scratch);
  if (isKept) return undoneAs;
  await drop(work, undoneAs);
  await removeFresh(files, work);
  return null;
}

/** 0 where there is no database that was live; null where nobody knows. */
async function writtenWhileLive(work: SwapWork): Promise<number | null> {
  const { journal, maintenance } = work;
  const { facts, rowsBefore } = journal.record;
  const { rows } = await sql`
    select from pg_catalog.pg_database where datname = ${facts.undoneAs}`.execute(maintenance);
  if (rows.length === 0) return 0;
  if (rowsBefore === null) return null;
  try {
    const now = await rowsWritten({ ...work, database: facts.undoneAs });
    return now < rowsBefore ? null : now - rowsBefore;
  } catch {
    return null;
  }
}

async function drop({ maintenance, log }: SwapWork, name: string): Promise<void> {
  try {
    await dropDatabase(maintenance, name);
  } catch {
    log.warn(`Database "${name}" could not be dropped; the next restore does it.`);
  }
}
