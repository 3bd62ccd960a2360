import type { Kysely } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { timeOfBackupId } from '../sets/backup-id.ts';
import { findMarkedDatabases, type MarkedDatabase } from './find-marked-databases.ts';

/** A database that is kept because of a restore, and since when. */
export type KeptDatabase = MarkedDatabase & { since: Date };

/** What restores of `database` have kept, newest first; that of an unfinished one is the way back, and none of these. */
export async function findKeptDatabases(db: Kysely<Database>, database: string): Promise<KeptDatabase[]> {
  const marked = await findMarkedDatabases(db, database);
  return marked
    .filter(({ mark }) => mark.kind === 'undone' || mark.hasEnded)
    .map((one) => ({ ...one, since: timeOfBackupId(one.mark.id) }));
}
