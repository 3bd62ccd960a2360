import { Kysely, PostgresDialect } from 'kysely';
import { SessionPool, type SessionPoolOptions } from './session-pool.ts';
import type { Database } from './tables.ts';

/**
 * The one place that opens the database. Connects at the first query, holds at most one session, and none after a
 * second of idleness; `await using` closes it, within two seconds even when the server does not answer.
 *
 * No abort signal reaches it on purpose: after a SIGTERM the outcomes of what ran must still be written.
 */
export function openDatabase(options: SessionPoolOptions): Kysely<Database> {
  return databaseOver(new SessionPool(options));
}

/** Kysely over sessions that are open already, or opened when it needs them. Destroying it ends them. */
export function databaseOver(pool: SessionPool): Kysely<Database> {
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
}
