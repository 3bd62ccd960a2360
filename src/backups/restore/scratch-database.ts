import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import type { Log } from '../../log.ts';
import { type DatabaseMark, writeMark } from '../cut-over/database-marks.ts';
import type { DatabaseFacts } from '../sets/manifest.ts';

/**
 * Creates the empty database that a set is restored into: from template0, with the encoding and locale that were
 * recorded, so that the copy sorts and compares as the original did. Where nothing was recorded it is as template0 is.
 */
export async function createScratchDatabase(options: {
  maintenance: Kysely<Database>;
  name: string;
  /** The live database of the configuration. */
  database: string;
  owner: string;
  facts: DatabaseFacts;
  serverMajor: number;
}): Promise<void> {
  const { maintenance, name, database, owner, facts, serverMajor } = options;
  const clauses = [
    sql`template template0`,
    sql`owner ${sql.id(owner)}`,
    ...(facts.encoding === '' ? [] : encodingClauses(facts, serverMajor)),
  ];
  await sql`create database ${sql.id(name)} with ${sql.join(clauses, sql` `)}`.execute(maintenance);
  await markDatabase(maintenance, name, { kind: 'scratch', database });
}

function encodingClauses(facts: DatabaseFacts, serverMajor: number): RawBuilder<unknown>[] {
  return [
    sql`encoding ${sql.lit(facts.encoding)}`,
    sql`lc_collate ${sql.lit(facts.collate)}`,
    sql`lc_ctype ${sql.lit(facts.ctype)}`,
    ...(serverMajor >= 15 ? localeClauses(facts) : []),
  ];
}

function localeClauses({ localeProvider, locale, icuRules }: DatabaseFacts): RawBuilder<unknown>[] {
  if (localeProvider === 'libc' || locale === null) return [sql`locale_provider libc`];
  if (localeProvider === 'builtin') return [sql`locale_provider builtin builtin_locale ${sql.lit(locale)}`];
  const rules = icuRules === null ? [] : [sql`icu_rules ${sql.lit(icuRules)}`];
  return [sql`locale_provider icu icu_locale ${sql.lit(locale)}`, ...rules];
}

/** Says in the comment of a database what it is. */
export async function markDatabase(
  maintenance: Kysely<Database>,
  name: string,
  mark: DatabaseMark,
): Promise<void> {
  await sql`comment on database ${sql.id(name)} is ${sql.lit(writeMark(mark))}`.execute(maintenance);
}

/** Takes the mark of an unfinished restore off a database. */
export async function unmarkDatabase(maintenance: Kysely<Database>, name: string): Promise<void> {
  await sql`comment on database ${sql.id(name)} is null`.execute(maintenance);
}

/** Drops a database with whoever is connected to it; one that is not there is no error. */
export async function dropDatabase(maintenance: Kysely<Database>, name: string): Promise<void> {
  await sql`drop database if exists ${sql.id(name)} with (force)`.execute(maintenance);
}

/**
 * Drops what restores that were killed have left for the live database `database`: nobody is connected to it.
 * `role` tells those of restores (`tend`) from those of test restores.
 */
export async function sweepScratchDatabases(options: {
  maintenance: Kysely<Database>;
  database: string;
  role?: 'tend' | 'verify';
  log: Log;
}): Promise<string[]> {
  const { maintenance, database, role = 'tend', log } = options;
  const { rows } = await sql<{ name: string }>`
    select d.datname as name from pg_catalog.pg_database d
     where pg_catalog.shobj_description(d.oid, 'pg_database') = ${writeMark({ kind: 'scratch', database })}
       and d.datname ~ ${`_${role}_[0-9]{8}_[0-9]{6}_[0-9a-f]{4}$`}
       and pg_catalog.pg_has_role(d.datdba, 'MEMBER')
       and not exists (select from pg_catalog.pg_stat_activity a
         where a.datid = d.oid and a.backend_type <> 'autovacuum worker')`.execute(maintenance);
  for (const { name } of rows) {
    log.warn(`Dropping database "${name}": the restore that made it did not come to its end.`);
    await dropDatabase(maintenance, name);
  }
  return rows.map(({ name }) => name);
}
