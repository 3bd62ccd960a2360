import { type Kysely, type QueryExecutorProvider, sql, type Transaction } from 'kysely';
import { TendError, toError } from '../errors.ts';
import * as queue from './migrations/0001-queue.ts';
import * as schedules from './migrations/0002-schedules.ts';
import * as backups from './migrations/0003-backups.ts';
import * as mail from './migrations/0004-mail.ts';
import * as activity from './migrations/0005-activity.ts';
import * as alerts from './migrations/0006-alerts.ts';
import { createSqlApi } from './sql-api/create-sql-api.ts';
import type { Database } from './tables.ts';
import { errorCodeOf, translateDatabaseError } from './translate-database-error.ts';

/** In code, not in a directory: works bundled, and nothing on disk can add a migration. */
const migrations: Record<string, (db: QueryExecutorProvider) => Promise<void>> = {
  '0001-queue': queue.up,
  '0002-schedules': schedules.up,
  '0003-backups': backups.up,
  '0004-mail': mail.up,
  '0005-activity': activity.up,
  '0006-alerts': alerts.up,
};

export interface MigrationStatus {
  /** Names in order; `appliedAt` is null for one still to do. */
  migrations: { name: string; appliedAt: Date | null }[];
  /** Applied in the database but unknown here: the database is newer than this program. */
  unknown: string[];
}

/** Which migrations the database has; reads only, also where schema `tend` does not exist. */
export async function findMigrations(db: Kysely<Database>): Promise<MigrationStatus> {
  const applied = new Map<string, Date>();
  try {
    const { rows } = await sql<{ name: string; applied_at: Date }>`
      select name, applied_at from tend.migrations order by name`.execute(db);
    for (const row of rows) applied.set(row.name, row.applied_at);
  } catch (error) {
    if (!['42P01', '3F000'].includes(errorCodeOf(error) ?? '')) throw error;
  }
  return {
    migrations: Object.keys(migrations).map((name) => ({ name, appliedAt: applied.get(name) ?? null })),
    unknown: [...applied.keys()].filter((name) => !(name in migrations)),
  };
}

/** Key of the advisory lock that lets one migration at a time: "tend" in ASCII. */
const lockKey = 0x74656e64;

/**
 * Runs a transaction in which nobody else changes schema `tend` or the rights on it: others wait until it ends.
 * PostgreSQL answers two writers of one row of its catalogs with "tuple concurrently updated".
 */
export async function inTurn<T>(
  db: Kysely<Database>,
  work: (transaction: Transaction<Database>) => Promise<T>,
): Promise<T> {
  return await db.transaction().execute(async (transaction) => {
    await sql`select pg_advisory_xact_lock(${lockKey}::bigint)`.execute(transaction);
    return await work(transaction);
  });
}

/**
 * Brings schema `tend` to this program's version and returns the names applied now, all in one transaction: a failure
 * leaves the database as it was. Two at once are safe: one waits for the other on a lock that ends with the
 * transaction and then finds nothing to do. (Kysely's own migrator takes a session's lock, which a pooler in
 * transaction mode would leave behind.) Where nothing is pending, the right to read is enough.
 *
 * @throws TendError SCHEMA_TOO_NEW when the database knows migrations this program does not; MIGRATION_FAILED.
 */
export async function migrateUp(options: { db: Kysely<Database> }): Promise<string[]> {
  const status = await findMigrations(options.db);
  if (status.unknown.length > 0) throw schemaTooNew(status.unknown.join(', '));
  if (status.migrations.every(({ appliedAt }) => appliedAt !== null)) return [];
  let current: string | undefined;
  try {
    return await inTurn(options.db, async (trx) => {
      await createSchema(trx);
      const pending = (await findMigrations(trx)).migrations.filter(({ appliedAt }) => appliedAt === null);
      for (const { name } of pending) {
        current = name;
        await migrations[name]?.(trx);
        await sql`insert into tend.migrations (name) values (${name})`.execute(trx);
      }
      current = 'the SQL API';
      if (pending.length > 0) await createSqlApi(trx);
      return pending.map(({ name }) => name);
    });
  } catch (error) {
    throw migrationFailed(error, current);
  }
}

/** Not `create schema if not exists`, which asks for the right to create also where the schema is there. */
async function createSchema(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ exists: boolean }>`
    select to_regnamespace('tend') is not null as exists`.execute(db);
  if (rows[0]?.exists !== true) await sql`create schema tend`.execute(db);
  await sql`
    create table if not exists tend.migrations (
      name text primary key,
      applied_at timestamptz not null default now()
    )`.execute(db);
}

function migrationFailed(error: unknown, name: string | undefined): TendError {
  const translated = translateDatabaseError(error);
  if (translated?.code === 'DATABASE_UNREACHABLE' || translated?.code === 'DATABASE_CONNECTION_LOST')
    return translated;
  const what = name === undefined ? 'The migration of schema "tend"' : `Migration "${name}"`;
  return new TendError(
    translated?.code === 'DATABASE_PERMISSION' ? 'DATABASE_PERMISSION' : 'MIGRATION_FAILED',
    `${what} failed: ${translated?.message ?? toError(error).message}`,
    {
      cause: error,
      hint: 'Nothing was changed. Migrate as a role that may create schema "tend" (the owner of the database).',
    },
  );
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
