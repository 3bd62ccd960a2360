import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';

/**
 * Gives the database `to` what belongs to the database `from` as such and follows its oid, not its name: settings
 * (for everybody and for single roles), privileges and connection limit. The owner was given at creation.
 */
export async function copyDatabaseProperties(options: {
  maintenance: Kysely<Database>;
  from: string;
  to: string;
}): Promise<void> {
  const { maintenance, from, to } = options;
  await copySettings(maintenance, from, to);
  await copyPrivileges(maintenance, from, to);
  const { rows } = await sql<{ connectionLimit: number }>`
    select datconnlimit as "connectionLimit" from pg_catalog.pg_database where datname = ${from}`.execute(
    maintenance,
  );
  const [row] = rows;
  if (row === undefined) return;
  await sql`alter database ${sql.id(to)} connection limit ${sql.lit(row.connectionLimit)}`.execute(
    maintenance,
  );
}

/** Gives the database `to` the comment of `from`, or none. */
export async function copyComment(options: {
  maintenance: Kysely<Database>;
  from: string;
  to: string;
}): Promise<void> {
  const { maintenance, from, to } = options;
  const { rows } = await sql<{ comment: string | null }>`
    select pg_catalog.shobj_description(oid, 'pg_database') as comment
      from pg_catalog.pg_database where datname = ${from}`.execute(maintenance);
  const comment = rows[0]?.comment ?? null;
  await sql`comment on database ${sql.id(to)} is ${comment === null ? sql`null` : sql.lit(comment)}`.execute(
    maintenance,
  );
}

async function copySettings(maintenance: Kysely<Database>, from: string, to: string): Promise<void> {
  const { rows } = await sql<{ role: string | null; setting: string }>`
    select r.rolname as role, unnest(s.setconfig) as setting
      from pg_catalog.pg_db_role_setting s
      join pg_catalog.pg_database d on d.oid = s.setdatabase
      left join pg_catalog.pg_roles r on r.oid = s.setrole
     where d.datname = ${from}`.execute(maintenance);
  for (const { role, setting } of rows) {
    const { name, values } = parseSetting(setting);
    const subject =
      role === null ? sql`database ${sql.id(to)}` : sql`role ${sql.id(role)} in database ${sql.id(to)}`;
    const assigned = sql.join(values.map((value) => sql.lit(value)));
    await sql`alter ${subject} set ${sql.id(name)} to ${assigned}`.execute(maintenance);
  }
}

/** Settings whose stored value is a list of quoted identifiers (GUC_LIST_QUOTE, as in pg_dump's dumputils.c). */
const quotedLists = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]);

/** Reads an element of `setconfig`, such as `search_path="$user", public`. */
export function parseSetting(setting: string): { name: string; values: string[] } {
  const split = setting.indexOf('=');
  const name = setting.slice(0, split);
  const value = setting.slice(split + 1);
  if (!quotedLists.has(name.toLowerCase())) return { name, values: [value] };
  const elements = [...value.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^",\s]+))\s*(?:,|$)/g)];
  const values = elements.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
  return { name, values: values.length === 0 ? [''] : values };
}

async function copyPrivileges(maintenance: Kysely<Database>, from: string, to: string): Promise<void> {
  const { rows } = await sql<{ grantee: string | null; privilege: string; isGrantable: boolean }>`
    select r.rolname as grantee, a.privilege_type as privilege, a.is_grantable as "isGrantable"
      from pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) a
      left join pg_catalog.pg_roles r on r.oid = a.grantee
     where d.datname = ${from} and d.datacl is not null`.execute(maintenance);
  const { rows: defaults } = await sql<{ isDefault: boolean; owner: string }>`
    select datacl is null as "isDefault", pg_catalog.pg_get_userbyid(datdba) as owner
      from pg_catalog.pg_database where datname = ${from}`.execute(maintenance);
  const [database] = defaults;
  if (database === undefined || database.isDefault) return;
  const target = sql`database ${sql.id(to)}`;
  await sql`revoke all on ${target} from public, ${sql.id(database.owner)}`.execute(maintenance);
  for (const { grantee, privilege, isGrantable } of rows) {
    const whom = grantee === null ? sql`public` : sql.id(grantee);
    const option = isGrantable ? sql` with grant option` : sql``;
    await sql`grant ${sql.raw(privilege)} on ${target} to ${whom}${option}`.execute(maintenance);
  }
}
