import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import type { DatabaseFacts } from './manifest.ts';
import { parseSetting } from './parse-setting.ts';

/** What belongs to a database as such and follows its oid, not its name. The owner is given at creation. */
export interface DatabaseProperties {
  connectionLimit: number;
  settings: NonNullable<DatabaseFacts['settings']>;
  /** Null where nobody changed the default. */
  privileges: Privileges | null;
  comment: string | null;
}

type Privileges = NonNullable<DatabaseFacts['privileges']>;

/** Reads them of the database `name`; undefined where there is none. */
export async function readDatabaseProperties(
  db: Kysely<Database>,
  name: string,
): Promise<DatabaseProperties | undefined> {
  const { rows } = await sql<{ connectionLimit: number; comment: string | null; hasDefaults: boolean }>`
    select datconnlimit as "connectionLimit", datacl is null as "hasDefaults",
           pg_catalog.shobj_description(oid, 'pg_database') as comment
      from pg_catalog.pg_database where datname = ${name}`.execute(db);
  const [row] = rows;
  if (row === undefined) return undefined;
  const { connectionLimit, comment, hasDefaults } = row;
  const settings = await readSettings(db, name);
  const privileges = hasDefaults ? null : await readPrivileges(db, name);
  return { connectionLimit, comment, settings, privileges };
}

async function readSettings(db: Kysely<Database>, name: string): Promise<DatabaseProperties['settings']> {
  const { rows } = await sql<{ role: string | null; setting: string }>`
    select r.rolname as role, unnest(s.setconfig) as setting
      from pg_catalog.pg_db_role_setting s
      join pg_catalog.pg_database d on d.oid = s.setdatabase
      left join pg_catalog.pg_roles r on r.oid = s.setrole
     where d.datname = ${name}`.execute(db);
  return rows;
}

async function readPrivileges(db: Kysely<Database>, name: string): Promise<Privileges> {
  const { rows } = await sql<Privileges[number]>`
    select r.rolname as grantee, a.privilege_type as privilege, a.is_grantable as "isGrantable"
      from pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) a
      left join pg_catalog.pg_roles r on r.oid = a.grantee
     where d.datname = ${name}`.execute(db);
  return rows;
}

/** The statements that give the database `to`, owned by `owner`, these properties; its comment is for the caller. */
export function propertyStatements(options: {
  to: string;
  owner: string;
  properties: Omit<DatabaseProperties, 'comment'>;
}): RawBuilder<unknown>[] {
  const { to, owner, properties } = options;
  const target = sql`database ${sql.id(to)}`;
  const statements = properties.settings.map(({ role, setting }) => {
    const { name, values } = parseSetting(setting);
    const subject = role === null ? target : sql`role ${sql.id(role)} in ${target}`;
    return sql`alter ${subject} set ${sql.id(name)} to ${sql.join(values.map((value) => sql.lit(value)))}`;
  });
  if (properties.privileges !== null) {
    statements.push(sql`revoke all on ${target} from public, ${sql.id(owner)}`);
    for (const { grantee, privilege, isGrantable } of properties.privileges) {
      const whom = grantee === null ? sql`public` : sql.id(grantee);
      const option = isGrantable ? sql` with grant option` : sql``;
      statements.push(sql`grant ${sql.raw(privilege)} on ${target} to ${whom}${option}`);
    }
  }
  return [...statements, sql`alter ${target} connection limit ${sql.lit(properties.connectionLimit)}`];
}
