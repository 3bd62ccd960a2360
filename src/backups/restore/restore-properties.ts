import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { toError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { ArchiveToc } from '../archive/archive-toc.ts';

/** Where the name of the database stands in what pg_dump writes about it. */
const named =
  /^(ALTER DATABASE|ALTER ROLE .+ IN DATABASE|(?:GRANT|REVOKE) .+ ON DATABASE|COMMENT ON DATABASE) (?:"(?:[^"]|"")+"|[^\s"]+) /gm;

/**
 * Gives a restored database what belonged to the original as such: settings (for everybody and for single roles),
 * privileges, connection limit and comment. They are in every archive, for the original's name; `pg_restore` leaves them
 * out, since it would apply them to that one. What cannot be given, as to a role that is not there, is a warning.
 *
 * To be called in a transaction.
 */
export async function restoreProperties(options: {
  transaction: Kysely<Database>;
  toc: ArchiveToc;
  name: string;
  log: Log;
}): Promise<void> {
  const { transaction, toc, name, log } = options;
  for (const statements of propertiesIn(toc, name)) {
    await sql`savepoint properties`.execute(transaction);
    try {
      await sql.raw(statements).execute(transaction);
    } catch (error) {
      await sql`rollback to savepoint properties`.execute(transaction);
      log.warn(`Database "${name}" does not get a property of the original: ${toError(error).message}`);
    }
  }
}

/** What is to be executed, with the name of the restored database in it. */
function propertiesIn({ entries }: ArchiveToc, name: string): string[] {
  const quoted = `"${name.replaceAll('"', '""')}"`;
  return entries
    .filter(
      ({ kind, name: tag }) =>
        kind === 'DATABASE PROPERTIES' ||
        (['ACL', 'COMMENT', 'SECURITY LABEL'].includes(kind) && tag.startsWith('DATABASE ')),
    )
    .map(({ definition }) => definition.replace(named, (_whole, verb: string) => `${verb} ${quoted} `));
}
