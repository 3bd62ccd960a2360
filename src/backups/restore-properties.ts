import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { toError } from '../errors.ts';
import type { Log } from '../log.ts';
import { propertyStatements } from './database-properties.ts';
import type { DatabaseFacts } from './manifest.ts';

/**
 * Gives a restored database what the manifest says of the original as such: where that is not there any more, or is another.
 * What this server does not take (a setting of an extension, a role that only a setting names) is left out with a warning:
 * the data are restored by then.
 */
export async function restoreProperties(options: {
  maintenance: Kysely<Database>;
  to: string;
  owner: string;
  facts: DatabaseFacts;
  log: Log;
}): Promise<void> {
  const { maintenance, to, owner, facts, log } = options;
  const { settings = [], privileges = null, connectionLimit } = facts;
  const properties = { settings, privileges, connectionLimit };
  for (const statement of propertyStatements({ to, owner, properties })) {
    try {
      await statement.execute(maintenance);
    } catch (error) {
      const { sql: text } = statement.compile(maintenance);
      log.warn(`Not restored: ${text}: ${toError(error).message}`);
    }
  }
}

/** The comment of the original, in place of the mark of an unfinished restore. */
export async function restoreComment(
  maintenance: Kysely<Database>,
  options: { name: string; facts: DatabaseFacts },
): Promise<void> {
  const { name, facts } = options;
  if (typeof facts.comment !== 'string') return;
  await sql`comment on database ${sql.id(name)} is ${sql.lit(facts.comment)}`.execute(maintenance);
}
