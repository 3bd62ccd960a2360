import { type Kysely, sql } from 'kysely';
import type { ConnectionSettings } from '../../connection/settings.ts';
import { openDatabase } from '../../database/open-database.ts';
import type { Database } from '../../database/tables.ts';
import { errorCodeOf } from '../../database/translate-database-error.ts';

const candidates = ['postgres', 'template1'];

/**
 * Opens a database of the same server that is not `connection.database`: from there databases are created, renamed
 * and dropped. Statements may last (creating a database copies files, renaming one waits for sessions to end).
 */
export async function openMaintenanceDatabase(options: {
  connection: ConnectionSettings;
  applicationName: string;
}): Promise<Kysely<Database>> {
  const { connection } = options;
  let firstError: unknown;
  for (const database of candidates.filter((name) => name !== connection.database)) {
    const db = openDatabase({ ...options, connection: { ...connection, database }, statementTimeoutMs: 0 });
    try {
      await sql`select`.execute(db);
      return db;
    } catch (error) {
      await db.destroy();
      firstError ??= error;
      if (!isMissing(error)) throw error;
    }
  }
  throw firstError;
}

/** The database does not exist, or this role may not connect to it. */
function isMissing(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return [errorCodeOf(error), errorCodeOf(cause)].some((code) => code === '3D000' || code === '42501');
}
