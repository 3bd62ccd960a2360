import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import type { DatabaseFacts, Manifest } from './manifest.ts';

/** What a restore must know before it creates the database anew. */
export interface RecordedFacts {
  database: DatabaseFacts;
  extensions: Manifest['extensions'];
  /** Owners and grantees of anything in the database: all must exist where it is restored. */
  roles: string[];
  largeObjects: number;
  snapshot: NonNullable<Manifest['snapshot']>;
}

/** The server's version number as `SHOW server_version_num` gives it, and the major in it. */
export async function serverVersion(db: Kysely<Database>): Promise<{ version: string; major: number }> {
  const { rows } = await sql<{ version: string; number: number }>`
    select current_setting('server_version') as version,
           current_setting('server_version_num')::int as number`.execute(db);
  const [row] = rows;
  return { version: row?.version ?? '', major: Math.floor((row?.number ?? 0) / 10_000) };
}

/** Of the connected database, on the server's disk. */
export async function databaseSize(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    select pg_catalog.pg_database_size(current_database())::float8 as bytes`.execute(db);
  return rows[0]?.bytes ?? 0;
}

/** Reads the facts of the connected database. */
export async function databaseFacts(db: Kysely<Database>): Promise<RecordedFacts> {
  const { version, major } = await serverVersion(db);
  const row = await databaseRow(db);
  const { rows: extensions } = await sql<{ name: string; version: string }>`
    select extname as name, extversion as version from pg_catalog.pg_extension order by 1`.execute(db);
  const { rows: objects } = await sql<{ count: string }>`
    select count(*)::text as count from pg_catalog.pg_largeobject_metadata`.execute(db);
  return {
    database: {
      ...row,
      serverVersion: version,
      serverMajor: major,
      systemIdentifier: await systemIdentifier(db),
    },
    extensions,
    roles: await rolesInUse(db),
    largeObjects: Number(objects[0]?.count ?? 0),
    snapshot: await readSnapshot(db),
  };
}

/** The transaction's own snapshot, under repeatable read: the one that is dumped. */
async function readSnapshot(db: Kysely<Database>): Promise<RecordedFacts['snapshot']> {
  const { rows } = await sql<{ at: Date; xid: string; underWay: number }>`
    with taken as (select pg_catalog.txid_current_snapshot() as snapshot)
    select pg_catalog.transaction_timestamp() as at, pg_catalog.txid_snapshot_xmax(snapshot)::text as xid,
           (select count(*) from pg_catalog.txid_snapshot_xip(snapshot)) as "underWay"
      from taken`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('The server did not describe its snapshot.');
  return { ...row, at: row.at.toISOString() };
}

type DatabaseRow = Omit<DatabaseFacts, 'serverVersion' | 'serverMajor' | 'systemIdentifier'>;

/** Read by way of JSON, since columns of pg_database come and go between versions (15: ICU, 17: builtin). */
async function databaseRow(db: Kysely<Database>): Promise<DatabaseRow> {
  const { rows } = await sql<DatabaseRow>`
    select d.row ->> 'datname' as name, pg_catalog.pg_database_size((d.row ->> 'datname')::name)::float8 as "sizeBytes",
           pg_catalog.pg_get_userbyid((d.row ->> 'datdba')::oid) as owner,
           pg_catalog.pg_encoding_to_char((d.row ->> 'encoding')::int) as encoding,
           case d.row ->> 'datlocprovider' when 'i' then 'icu' when 'b' then 'builtin' else 'libc' end as "localeProvider",
           d.row ->> 'datcollate' as collate, d.row ->> 'datctype' as ctype,
           coalesce(d.row ->> 'datlocale', d.row ->> 'daticulocale') as locale, d.row ->> 'daticurules' as "icuRules",
           (d.row ->> 'datconnlimit')::int as "connectionLimit"
      from (select to_jsonb(d) as row from pg_catalog.pg_database d where d.datname = current_database()) d
  `.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('pg_database has no row of the connected database.');
  return row;
}

/** Only for those allowed to ask (pg_monitor); it tells one cluster from another. */
export async function systemIdentifier(db: Kysely<Database>): Promise<string | null> {
  const { rows } = await sql<{ id: string | null }>`
    select case when has_function_privilege('pg_catalog.pg_control_system()', 'execute')
      then (select system_identifier::text from pg_catalog.pg_control_system()) end as id`.execute(db);
  return rows[0]?.id ?? null;
}

/**
 * pg_shdepend names every role the database depends on, except those that cannot be dropped: of these the bootstrap
 * superuser (oid 10) is added, whose name differs between clusters. Roles named pg_… exist everywhere.
 */
async function rolesInUse(db: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    with here as (select oid, datdba from pg_catalog.pg_database where datname = current_database())
    select r.rolname as name from pg_catalog.pg_roles r
     where r.rolname !~ '^pg_' and (
       r.oid in (select d.refobjid from pg_catalog.pg_shdepend d, here
         where d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
           and (d.dbid = here.oid or (d.classid = 'pg_catalog.pg_database'::pg_catalog.regclass and d.objid = here.oid)))
       or r.oid = (select datdba from here)
       or r.oid = 10 and (
         exists (select from pg_catalog.pg_class where relowner = 10 and oid >= 16384 and relnamespace <> 99)
         or exists (select from pg_catalog.pg_proc where proowner = 10 and oid >= 16384)
         or exists (select from pg_catalog.pg_namespace where nspowner = 10 and oid >= 16384)
         or exists (select from pg_catalog.pg_type where typowner = 10 and oid >= 16384)))
     order by 1`.execute(db);
  return rows.map(({ name }) => name);
}
