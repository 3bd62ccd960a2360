import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { unmarkDatabase } from '../restore/scratch-database.ts';
import { copyComment } from './copy-database-properties.ts';
import { cutOver, stateOfCutOver } from './cut-over.ts';
import { readMark } from './database-marks.ts';
import type { Reversible } from './swap-databases.ts';
import { fileSwap, swapFilesBack } from './swap-files.ts';
import { type SwapWork, swapTools, unstoppable } from './swap-work.ts';

/**
 * Puts the database and the files back that a restore has replaced, as far as it had: looks at what is there, so it
 * can be done from any state and again. The queue is carried back, the restored database is kept under a third
 * name. It cannot be stopped any more.
 *
 * @returns how long connecting had to wait; null where the old database was live already.
 */
export async function putBack(work: SwapWork): Promise<number | null> {
  const { journal, maintenance, log } = work;
  const { id, database: name, keptAs, undoneAs, files } = journal.record.facts;
  const state = keptAs === null ? 'before' : await stateOfCutOver(maintenance, { name, keepAs: keptAs });
  if (keptAs === null || state === 'before') {
    await swapFilesBack(files, log);
    await takeMarkOff(maintenance, { name, undoneAs });
    return null;
  }
  await journal.note('putting-back');
  if (state === 'missing') {
    log.warn(`Database "${name}" was missing: "${keptAs}" takes its name again.`);
    await swapFilesBack(files, log);
    await sql`alter database ${sql.id(keptAs)} rename to ${sql.id(name)}`.execute(maintenance);
    await takeMarkOff(maintenance, { name, undoneAs });
    await journal.note('put-back');
    return null;
  }
  const { outageMs } = await cutOver({
    ...work,
    ...(await swapTools({ ...work, signal: unstoppable() })),
    replacement: keptAs,
    keepAs: undoneAs,
    properties: 'keep',
    mark: { kind: 'undone', database: name, id },
    meanwhile: reversed(fileSwap(files, log)),
    signal: unstoppable(),
  });
  await journal.note('put-back');
  return outageMs;
}

function reversed({ apply, undo }: Reversible): Reversible {
  return { apply: undo, undo: apply };
}

/** Renamed back by hand, a database still says that it is the old one; what it said before, the restored one says. */
async function takeMarkOff(
  maintenance: Kysely<Database>,
  { name, undoneAs }: { name: string; undoneAs: string },
): Promise<void> {
  const { rows } = await sql<{ name: string; comment: string | null }>`
    select datname as name, pg_catalog.shobj_description(oid, 'pg_database') as comment
      from pg_catalog.pg_database where datname in (${name}, ${undoneAs})`.execute(maintenance);
  const comment = rows.find((row) => row.name === name)?.comment ?? '';
  if (readMark(comment)?.kind !== 'kept') return;
  const other = rows.find((row) => row.name === undoneAs);
  if (other === undefined || readMark(other.comment ?? '') !== undefined)
    await unmarkDatabase(maintenance, name);
  else await copyComment({ maintenance, from: undoneAs, to: name });
}
