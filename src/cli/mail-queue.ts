import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { requireOwnDatabase } from '../database/require-own-database.ts';
import { requireSchema } from '../database/require-schema.ts';
import type { Database } from '../database/tables.ts';
import { TendError } from '../errors.ts';
import type { CommandContext } from './command-context.ts';

/**
 * The queue, where mail can be left to it: it can be reached, and somebody ticks. Undefined where it is not configured or
 * cannot be reached, is not there yet, or where no tick has run for a quarter of an hour: what tells that the ticks fail
 * must not wait for one.
 *
 * @throws TendError DATABASE_IS_A_COPY: mail of the original reaches nobody from there; SCHEMA_TOO_NEW.
 */
export async function findMailQueue(context: CommandContext): Promise<Kysely<Database> | undefined> {
  try {
    const db = await context.openDatabase();
    await requireSchema(db);
    await requireOwnDatabase(db);
    const { rows } = await sql`
      select from tend.hosts where last_tick_at > now() - interval '15 minutes' limit 1`.execute(db);
    if (rows.length > 0) return db;
    context.log.info('without the queue: no tick has run for 15 minutes');
  } catch (error) {
    const known = await nameError(error);
    if (known.code === 'DATABASE_IS_A_COPY' || known.code === 'SCHEMA_TOO_NEW') throw known;
    context.log.info(`without the queue: ${known.message}`);
  }
  return undefined;
}

/** @throws what is no error of the database. */
async function nameError(error: unknown): Promise<TendError> {
  if (error instanceof TendError) return error;
  const { translateDatabaseError } = await import('../database/translate-database-error.ts');
  const known = translateDatabaseError(error);
  if (known instanceof TendError) return known;
  throw error;
}
