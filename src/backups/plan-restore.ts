import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { TendError } from '../errors.ts';
import type { BackupSet } from './backup-directory.ts';
import { companionDatabase } from './backup-id.ts';
import { serverVersion } from './database-facts.ts';
import { findObstacles } from './restore-obstacles.ts';
import type { FileSwap } from './swap-files.ts';

export interface PlanRestoreOptions {
  set: BackupSet;
  maintenance: Kysely<Database>;
  /** The database of the configuration. */
  database: string;
  /** A new database to restore into, beside the live one. */
  into: string | undefined;
  /** Of this restore; names its databases. */
  id: string;
  files?: FileSwap[];
}

/** What a restore will do, after everything that can be known beforehand was found to be in order. */
export interface RestorePlan {
  /** The name the restored database gets. */
  target: string;
  mode: 'into' | 'replace';
  /** The database that is replaced, and whether it is there; it may have been lost. */
  live: { oid: number; owner: string; sizeBytes: number; sessions: number } | undefined;
  /** Where it is restored and checked before anybody sees it. */
  scratch: string;
  /** The name under which the present database is kept; undefined where there is none. */
  keptAs: string | undefined;
  /** The name of the restored database after a way back. */
  undoneAs: string;
  /** Files that change places in the same step. */
  files: FileSwap[];
  owner: string;
  serverMajor: number;
  warnings: string[];
}

/**
 * Looks at everything that would make a restore fail later: rights, roles, extensions, versions, names, prepared
 * transactions, replication slots, sessions that cannot be ended. Changes nothing.
 *
 * @throws TendError RESTORE_REFUSED naming the first obstacle, with all of them in `details`.
 */
export async function planRestore(options: PlanRestoreOptions): Promise<RestorePlan> {
  const { set, maintenance, database, into, id, files = [] } = options;
  const { manifest } = set;
  const target = into ?? database;
  const existing = await findDatabase(maintenance, target);
  const { major: serverMajor } = await serverVersion(maintenance);
  const live = into === undefined ? existing : undefined;
  const owner = live?.owner ?? manifest.database.owner;
  const obstacles = await findObstacles({
    maintenance,
    manifest,
    target,
    into,
    existing,
    owner,
    serverMajor,
  });
  if (obstacles.length > 0) throw refused(target, obstacles);
  return {
    target,
    mode: into === undefined ? 'replace' : 'into',
    live,
    scratch: companionDatabase(target, 'tend', id),
    keptAs: live === undefined ? undefined : companionDatabase(target, 'before', id),
    undoneAs: companionDatabase(target, 'undone', id),
    files,
    owner,
    serverMajor,
    warnings: warningsAbout(options),
  };
}

async function findDatabase(maintenance: Kysely<Database>, name: string): Promise<RestorePlan['live']> {
  const { rows } = await sql<NonNullable<RestorePlan['live']>>`
    select d.oid::int8 as oid, pg_catalog.pg_get_userbyid(d.datdba) as owner,
           case when pg_catalog.has_database_privilege(d.oid, 'connect')
             then pg_catalog.pg_database_size(d.oid) else 0 end as "sizeBytes",
           (select count(*) from pg_catalog.pg_stat_activity a where a.datid = d.oid) as sessions
      from pg_catalog.pg_database d where d.datname = ${name}`.execute(maintenance);
  return rows[0];
}

function warningsAbout({ set, database, into }: PlanRestoreOptions): string[] {
  const { name } = set.manifest.database;
  if (into !== undefined || name === database) return [];
  return [`The backup set is of database "${name}", and takes the place of database "${database}".`];
}

function refused(target: string, obstacles: string[]): TendError {
  const [first = '', ...others] = obstacles;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return new TendError('RESTORE_REFUSED', `Database "${target}" cannot be restored: ${first}${more}.`, {
    isPermanent: true,
    details: obstacles.join('\n'),
    hint: 'Nothing was changed. See everything in its way: tend restore --dry-run',
  });
}
