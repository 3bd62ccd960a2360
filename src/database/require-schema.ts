import { type Kysely, sql } from 'kysely';
import { TendError } from '../errors.ts';
import { findMigrations, schemaTooNew } from './migrate.ts';
import { schemaVersion } from './schema-version.ts';
import type { Database } from './tables.ts';

/**
 * Stops with 78 unless the database has exactly this program's schema: its migrations, and the version in `tend.meta`,
 * which may differ where somebody changed it, or loaded the table from another database.
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
  const { rows } = await sql<{ version: number }>`select schema_version as version from tend.meta`.execute(
    db,
  );
  const version = rows[0]?.version;
  if (version !== schemaVersion) throw otherVersion(version);
}

function otherVersion(version: number | undefined): TendError {
  if (version !== undefined && version > schemaVersion)
    return schemaTooNew(`version ${version} in tend.meta`);
  const found = version === undefined ? 'no version' : `version ${version}`;
  return new TendError(
    'SCHEMA_TOO_OLD',
    `Schema "tend" in the database has ${found} in tend.meta, though every migration up to ${schemaVersion} is applied.`,
    {
      hint: `That table was changed, or comes from another database. Where the migrations are right: update tend.meta set schema_version = ${schemaVersion}`,
    },
  );
}
