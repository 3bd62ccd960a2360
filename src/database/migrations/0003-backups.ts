import { type QueryExecutorProvider, sql } from 'kysely';

/**
 * What becomes of a backup set after it was made.
 *
 * Why it is shaped so:
 * - A row stays when its set is removed: what was kept from when to when, and why it went, is history.
 * - A failed test restore is not forgotten because the set can be read; `last_verify_error_of` says which of the two it was.
 */
export async function up(db: QueryExecutorProvider): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table tend.backups
     add column restore_tested_at timestamptz,
     add column restore_ms bigint,
     add column last_verify_error text,
     add column last_verify_error_of text check (last_verify_error_of in ('read', 'restore')),
     add column removed_at timestamptz,
     add column removed_reason text`,

  `update tend.meta set schema_version = 3`,
];
