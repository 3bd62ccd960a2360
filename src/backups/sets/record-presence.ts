import { realpath } from 'node:fs/promises';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import type { Log } from '../../log.ts';
import { listBackups } from './backup-directory.ts';
import { unlessUnprepared } from './record-backup.ts';

/**
 * Notes which of the sets that this host has made in a directory are not there any more, whoever removed them, and
 * takes it back for those that are. A directory without a single set tells nothing: it may be one that is not mounted.
 */
export async function recordPresence(options: {
  db: Kysely<Database>;
  directory: string;
  /** Of this host, in the queue. */
  host: string;
  log: Log;
}): Promise<void> {
  const { db, directory, host, log } = options;
  const { sets, damaged } = await listBackups(directory);
  const present = [...sets, ...damaged].map(({ id }) => id);
  if (present.length === 0) return;
  const places = [directory, await realpath(directory)];
  await unlessUnprepared(log, async () => {
    await sql`
      update tend.backups
         set removed_at = case when id = any(${present}) then null else now() end,
             removed_reason = case when id = any(${present}) then null else 'it is not in its directory any more' end
       where host = ${host} and directory in (select place || '/' || id from unnest(${places}::text[]) place)
         and (removed_at is null) <> (id = any(${present}))`.execute(db);
  });
}
