import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { TendError, toError } from '../errors.ts';
import * as queue from './migrations/0001-queue.ts';
import type { Database } from './tables.ts';
import { errorCodeOf, translateDatabaseError } from './translate-database-error.ts';

/** In code, not in a directory: works bundled, and nothing on disk can add a migration. */
const migrations: Record<string, Migration> = {
  '0001-queue': { up: queue.up },
};

/** The version this program works with; a migration sets `tend.meta.schema_version` to its number. */
export const schemaVersion = Object.keys(migrations).length;

export interface MigrationStatus {
  /** Names in order; `appliedAt` is null for one still to do. */
  migrations: { name: string; appliedAt: Date | null }[];
  /** Applied in the database but unknown here: the database is newer than this program. */
  unknown: string[];
}

async function createMigrator(db: Kysely<Database>) {
  const { Migrator } = await import('kysely/migration');
  return new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
    migrationTableSchema: 'tend',
    migrationTableName: 'migrations',
    migrationLockTableName: 'migrations_lock',
  });
}

/** Which migrations the database has; reads only, also where schema `tend` does not exist. */
export async function findMigrations(db: Kysely<Database>): Promise<MigrationStatus> {
  const applied = new Map<string, Date>();
  try {
    const { rows } = await sql<{ name: string; timestamp: string }>`
      select name, timestamp from tend.migrations order by name`.execute(db);
    for (const row of rows) applied.set(row.name, new Date(row.timestamp));
  } catch (error) {
    if (!['42P01', '3F000'].includes(errorCodeOf(error) ?? '')) throw error;
  }
  return {
    migrations: Object.keys(migrations).map((name) => ({ name, appliedAt: applied.get(name) ?? null })),
    unknown: [...applied.keys()].filter((name) => !(name in migrations)),
  };
}

/**
 * Brings schema `tend` to this program's version and returns the names applied now. Two at once are safe: one waits
 * for the other on a lock in the database and then finds nothing to do.
 *
 * @throws TendError SCHEMA_TOO_NEW when the database knows migrations this program does not; MIGRATION_FAILED.
 */
export async function migrateUp(options: { db: Kysely<Database> }): Promise<string[]> {
  const status = await findMigrations(options.db);
  if (status.unknown.length > 0) throw schemaTooNew(status.unknown.join(', '));
  if (status.migrations.every(({ appliedAt }) => appliedAt !== null)) return [];
  const migrator = await createMigrator(options.db);
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) {
    const translated = translateDatabaseError(error);
    const failed = results?.find(({ status: outcome }) => outcome === 'Error')?.migrationName;
    throw new TendError(
      translated?.code === 'DATABASE_PERMISSION' ? 'DATABASE_PERMISSION' : 'MIGRATION_FAILED',
      `Migration ${failed === undefined ? 'of schema "tend"' : `"${failed}"`} failed: ${translated?.message ?? toError(error).message}`,
      {
        cause: error,
        hint: 'Nothing was changed. Migrate as a role that may create schema "tend" (the owner of the database).',
      },
    );
  }
  return (results ?? [])
    .filter(({ status: outcome }) => outcome === 'Success')
    .map((result) => result.migrationName);
}

export function schemaTooNew(found: string): TendError {
  return new TendError(
    'SCHEMA_TOO_NEW',
    `Schema "tend" in the database is newer than this program (${found}).`,
    {
      hint: 'Use the tend version that migrated it, or a newer one.',
    },
  );
}
