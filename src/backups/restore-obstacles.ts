import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import type { Manifest } from './manifest.ts';

export interface ObstacleOptions {
  maintenance: Kysely<Database>;
  manifest: Manifest;
  target: string;
  into: string | undefined;
  existing: { oid: number; owner: string } | undefined;
  owner: string;
  serverMajor: number;
}

/** Everything that is in the way of a restore, one line each, without a full stop. */
export async function findObstacles(options: ObstacleOptions): Promise<string[]> {
  const { manifest, into, existing, serverMajor } = options;
  const found: string[] = [];
  const { serverVersion, serverMajor: dumpedMajor } = manifest.database;
  if (serverMajor < dumpedMajor) {
    found.push(
      `the dump is of PostgreSQL ${serverVersion}, which a server of version ${serverMajor} cannot read`,
    );
  }
  found.push(...(await missingRoles(options)), ...(await missingExtensions(options)));
  found.push(...(await missingRights(options)));
  if (into !== undefined && existing !== undefined) found.push(`database "${into}" exists already`);
  if (into === undefined && existing !== undefined) found.push(...(await obstaclesToReplacing(options)));
  return found;
}

async function missingRoles({ maintenance, manifest, owner }: ObstacleOptions): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select rolname as name from pg_catalog.pg_roles`.execute(
    maintenance,
  );
  const present = new Set(rows.map(({ name }) => name));
  return [...new Set([...manifest.roles, owner])]
    .filter((name) => !present.has(name))
    .map((name) => `role "${name}" of the dump does not exist here (create role "${name}")`);
}

async function missingExtensions({ maintenance, manifest }: ObstacleOptions): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select name from pg_catalog.pg_available_extensions`.execute(maintenance);
  const available = new Set(rows.map(({ name }) => name));
  return manifest.extensions
    .filter(({ name }) => !available.has(name))
    .map(({ name }) => `extension "${name}" is not installed on the server`);
}

async function missingRights({ maintenance, owner, existing, into }: ObstacleOptions): Promise<string[]> {
  const { rows } = await sql<{ user: string; creates: boolean; isOwner: boolean; ownsLive: boolean }>`
    select current_user as user, r.rolsuper or r.rolcreatedb as creates,
           coalesce((select pg_catalog.pg_has_role(o.oid, 'MEMBER') from pg_catalog.pg_roles o
             where o.rolname = ${owner}), true) as "isOwner",
           coalesce((select pg_catalog.pg_has_role(d.datdba, 'MEMBER') from pg_catalog.pg_database d
             where d.oid = ${existing?.oid ?? 0}), true) as "ownsLive"
      from pg_catalog.pg_roles r where r.rolname = current_user`.execute(maintenance);
  const [row] = rows;
  if (row === undefined) return [];
  const found: string[] = [];
  if (!row.creates) {
    found.push(`role "${row.user}" may not create databases (alter role "${row.user}" createdb)`);
  }
  if (!row.isOwner)
    found.push(`role "${row.user}" is not a member of "${owner}", which is to own the database`);
  if (into === undefined && !row.ownsLive)
    found.push(`role "${row.user}" does not own the database that is replaced`);
  return found;
}

/** What keeps a database from being renamed: each would make the cut-over wait, and then fail. */
async function obstaclesToReplacing({ maintenance, target }: ObstacleOptions): Promise<string[]> {
  const { rows } = await sql<{ line: string }>`
    select 'prepared transaction "' || gid || '" is open in it' as line
      from pg_catalog.pg_prepared_xacts where database = ${target}
    union all
    select 'replication slot "' || slot_name || '" belongs to it'
      from pg_catalog.pg_replication_slots where database = ${target}
    union all
    select 'subscription "' || s.subname || '" belongs to it'
      from pg_catalog.pg_subscription s join pg_catalog.pg_database d on d.oid = s.subdbid where d.datname = ${target}
    union all
    select 'session ' || a.pid || ' of role "' || a.usename || '" cannot be ended by role "' || current_user || '"'
      from pg_catalog.pg_stat_activity a join pg_catalog.pg_roles r on r.oid = a.usesysid,
           (select rolsuper from pg_catalog.pg_roles where rolname = current_user) me
     where a.datname = ${target} and not me.rolsuper and (r.rolsuper
       or not (pg_catalog.pg_has_role(r.oid, 'MEMBER') or pg_catalog.pg_has_role('pg_signal_backend', 'MEMBER')))
  `.execute(maintenance);
  return rows.map(({ line }) => line);
}
