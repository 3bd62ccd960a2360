import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { formatBytes } from '../../format-bytes.ts';
import { createsPublic, isDataOnly, majorOf } from '../archive/describe-archive.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import { howToInstall } from './debian-extension.ts';
import { obstaclesToReplacing } from './obstacles-to-replacing.ts';
import type { ServerSpace } from './server-space.ts';

/** What is in the way of a restore. */
export interface Obstacle {
  /** Without a full stop. */
  what: string;
  /** The statement or command that removes it; null where there is none. */
  fix: string | null;
}

export interface ObstacleOptions {
  maintenance: Kysely<Database>;
  set: BackupSet;
  target: string;
  into: string | undefined;
  existing: { oid: number; owner: string } | undefined;
  owner: string;
  serverMajor: number;
  /** Undefined where it cannot be known. */
  space: ServerSpace | undefined;
}

/** Everything that is in the way of a restore, worst first: what cannot be removed, then what somebody must do. */
export async function findObstacles(options: ObstacleOptions): Promise<Obstacle[]> {
  const { into, existing } = options;
  return [
    ...unreadableHere(options),
    ...unfit(options),
    ...badName(options),
    ...(await missingRights(options)),
    ...(await missingRoles(options)),
    ...(await missingExtensions(options)),
    ...lackingSpace(options),
    ...(into === undefined && existing !== undefined ? await obstaclesToReplacing(options) : []),
  ];
}

function unreadableHere({ set, serverMajor }: ObstacleOptions): Obstacle[] {
  const { database, tools } = set.manifest;
  if (serverMajor < database.serverMajor) {
    const what = `the dump is of PostgreSQL ${database.serverVersion}, which a server of version ${serverMajor} cannot read`;
    return [{ what, fix: `restore it into a server of version ${database.serverMajor} or newer` }];
  }
  const dumpVersion = tools.pgDump.replace(/^.*\(PostgreSQL\) /, '');
  if (majorOf(dumpVersion) <= serverMajor) return [];
  return [
    {
      what: `it was made by pg_dump ${dumpVersion}, which writes what a server of version ${serverMajor} does not understand`,
      fix: `dump it anew with pg_dump ${serverMajor} (apt-get install postgresql-client-${serverMajor}), or restore it into a server of version ${majorOf(dumpVersion)}`,
    },
  ];
}

/** Archives of tend's own are always whole. */
function unfit({ set, into }: ObstacleOptions): Obstacle[] {
  const { foreign } = set;
  if (foreign === undefined) return [];
  if (isDataOnly(foreign.toc)) {
    return [
      {
        what: 'it holds rows without their tables (pg_dump --data-only)',
        fix: 'dump it anew without --data-only',
      },
    ];
  }
  if (into !== undefined || !createsPublic(foreign.toc)) return [];
  return [
    {
      what: 'it holds single schemas, not a whole database (pg_dump --schema)',
      fix: 'restore it beside: the same command with --into NAME',
    },
  ];
}

const longestName = 63;

function badName({ into, existing }: ObstacleOptions): Obstacle[] {
  if (into === undefined) return [];
  if (existing !== undefined) {
    return [{ what: `database "${into}" exists already`, fix: 'choose another name, or drop it' }];
  }
  const bytes = Buffer.byteLength(into);
  if (bytes <= longestName) return [];
  const what = `the name "${into}" has ${bytes} bytes, and PostgreSQL would cut it off after ${longestName}`;
  return [{ what, fix: 'choose a shorter one' }];
}

async function missingRoles({ maintenance, set, owner }: ObstacleOptions): Promise<Obstacle[]> {
  const { rows } = await sql<{ name: string; statement: string }>`
    select name, format('create role %I', name) as statement from unnest(${[...new Set([...set.manifest.roles, owner])]}::text[]) name
     where name <> '' and not exists (select from pg_catalog.pg_roles where rolname = name)`.execute(
    maintenance,
  );
  return rows.map(({ name, statement }) => ({
    what: `role "${name}" of the dump does not exist here`,
    fix: statement,
  }));
}

async function missingExtensions({ maintenance, set, serverMajor }: ObstacleOptions): Promise<Obstacle[]> {
  const { rows } = await sql<{ name: string }>`
    select name from pg_catalog.pg_available_extensions`.execute(maintenance);
  const available = new Set(rows.map(({ name }) => name));
  return set.manifest.extensions
    .filter(({ name }) => !available.has(name))
    .map(({ name }) => ({
      what: `extension "${name}" is not installed on the server`,
      fix: howToInstall(name, serverMajor) ?? null,
    }));
}

async function missingRights({ maintenance, owner, existing, into }: ObstacleOptions): Promise<Obstacle[]> {
  const { rows } = await sql<{ user: string; creates: boolean; isOwner: boolean; ownsLive: boolean }>`
    select current_user as user, r.rolsuper or r.rolcreatedb as creates,
           coalesce((select pg_catalog.pg_has_role(o.oid, 'MEMBER') from pg_catalog.pg_roles o
             where o.rolname = ${owner}), true) as "isOwner",
           coalesce((select pg_catalog.pg_has_role(d.datdba, 'MEMBER') from pg_catalog.pg_database d
             where d.oid = ${existing?.oid ?? 0}), true) as "ownsLive"
      from pg_catalog.pg_roles r where r.rolname = current_user`.execute(maintenance);
  const [row] = rows;
  if (row === undefined) return [];
  const { user } = row;
  const found: Obstacle[] = [];
  if (!row.creates) {
    const fix = `alter role "${user}" createdb${into === undefined ? '; or without that right: --in-place' : ''}`;
    found.push({ what: `role "${user}" may not create databases`, fix });
  }
  if (!row.isOwner) {
    const what = `role "${user}" is not a member of "${owner}", which is to own the database`;
    found.push({ what, fix: `grant "${owner}" to "${user}"` });
  }
  if (into === undefined && !row.ownsLive) {
    const what = `role "${user}" does not own the database that is replaced`;
    found.push({ what, fix: existing === undefined ? null : `grant "${existing.owner}" to "${user}"` });
  }
  return found;
}

/** A full disk stops the whole server: rather nothing is begun. */
function lackingSpace({ set, space }: ObstacleOptions): Obstacle[] {
  const { sizeBytes } = set.manifest.database;
  if (space === undefined || space.freeBytes >= sizeBytes) return [];
  const { directory, freeBytes } = space;
  return [
    {
      what: `the database had ${formatBytes(sizeBytes)}, and "${directory}" has ${formatBytes(freeBytes)} free`,
      fix: `free some there: df -h ${directory}`,
    },
  ];
}
