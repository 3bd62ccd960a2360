import type { Kysely } from 'kysely';
import { TendError } from '../errors.ts';
import { findMigrations, schemaTooNew } from './migrate.ts';
import type { Database } from './tables.ts';

/**
 * Stops with 78 unless the database has exactly this program's schema.
 *
 * @throws TendError SCHEMA_MISSING, SCHEMA_TOO_OLD, SCHEMA_TOO_NEW.
 */
export async function requireSchema(db: Kysely<Database>): Promise<void> {
  const status = await findMigrations(db);
  if (status.unknown.length > 0) throw schemaTooNew(status.unknown.join(', '));
  const missing = status.migrations.filter(({ appliedAt }) => appliedAt === null);
  if (missing.length === status.migrations.length) {
    throw new TendError('SCHEMA_MISSING', 'The database has no schema "tend" yet.', {
      hint: 'tend migrations up',
    });
  }
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    throw new TendError(
      'SCHEMA_TOO_OLD',
      `Schema "tend" in the database is older than this program: ${names} pending.`,
      {
        hint: 'tend migrations up',
      },
    );
  }
}
