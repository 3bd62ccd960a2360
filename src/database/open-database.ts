import { Kysely, PostgresDialect } from 'kysely';
import type { ConnectionSettings } from '../connection/settings.ts';
import { SessionPool } from './session-pool.ts';
import type { Database } from './tables.ts';

/**
 * The one place that opens the database. Connects at the first query, holds at most one session, and none after a
 * second of idleness; `await using` closes it, within two seconds even when the server does not answer.
 *
 * No abort signal reaches it on purpose: after a SIGTERM the outcomes of what ran must still be written.
 *
 * @param options.applicationName shown in pg_stat_activity: `tend <command> <host>:<pid>`.
 * @param options.statementTimeoutMs server-side limit of one statement, 30 s unless told; 0 is none.
 */
export function openDatabase(options: {
  connection: ConnectionSettings;
  applicationName: string;
  statementTimeoutMs?: number;
}): Kysely<Database> {
  const pool = new SessionPool({ statementTimeoutMs: 30_000, ...options });
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
}
