import { type Kysely, sql } from 'kysely';
import type { ConnectionSettings } from '../../connection/settings.ts';
import type { Database } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import { companionDatabase } from '../sets/backup-id.ts';
import { serverVersion } from '../sets/database-facts.ts';
import type { FilesPlan, PlannedFiles } from './plan-files.ts';
import { findObstacles, type Obstacle } from './restore-obstacles.ts';
import { findServerSpace, type ServerSpace } from './server-space.ts';

export interface PlanRestoreOptions {
  set: BackupSet;
  connection: ConnectionSettings;
  maintenance: Kysely<Database>;
  /** A new database to restore into, beside the live one. */
  into: string | undefined;
  /** What the set was asked for by, for the commands in hints; null where it is not known. */
  source: string | null;
  /** Of this restore; names its databases. */
  id: string;
  /** Of the same restore; without it files are left alone. */
  files?: FilesPlan | undefined;
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
  owner: string;
  serverMajor: number;
  /** Files that change places in the same step. */
  files: PlannedFiles[];
  /** Of the server, where it runs on this machine. */
  space: ServerSpace | undefined;
  /** What is in the way, worst first. */
  obstacles: Obstacle[];
  warnings: string[];
}

/**
 * Looks at everything that would make a restore fail later: rights, roles, extensions, versions, names, space, prepared
 * transactions, replication slots, sessions that cannot be ended. Changes nothing.
 *
 * @throws TendError RESTORE_REFUSED naming the worst obstacle, with all of them in `details`.
 */
export async function planRestore(options: PlanRestoreOptions): Promise<RestorePlan> {
  const plan = await draftRestore(options);
  if (plan.obstacles.length > 0) throw refused(plan, options);
  return plan;
}

/** The same plan, with its obstacles instead of an error. */
export async function draftRestore(options: PlanRestoreOptions): Promise<RestorePlan> {
  const { set, maintenance, connection, into, id, files } = options;
  const target = into ?? connection.database;
  const existing = await findDatabase(maintenance, target);
  const { major: serverMajor } = await serverVersion(maintenance);
  const live = into === undefined ? existing : undefined;
  const owner = live?.owner ?? (set.manifest.database.owner || connection.user);
  const space = await findServerSpace(maintenance, connection);
  const found = await findObstacles({ maintenance, set, target, into, existing, owner, serverMajor, space });
  return {
    target,
    mode: into === undefined ? 'replace' : 'into',
    live,
    scratch: companionDatabase(target, 'tend', id),
    keptAs: live === undefined ? undefined : companionDatabase(target, 'before', id),
    undoneAs: companionDatabase(target, 'undone', id),
    owner,
    serverMajor,
    files: files?.files ?? [],
    space,
    obstacles: [...found, ...(files?.obstacles ?? []).map((what) => ({ what, fix: null }))],
    warnings: [...warningsAbout(options), ...(files?.warnings ?? [])],
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

function warningsAbout({ set, connection, into }: PlanRestoreOptions): string[] {
  const { name } = set.manifest.database;
  const warnings: string[] = [];
  if (into === undefined && name !== connection.database) {
    warnings.push(
      `The backup set is of database "${name}", and takes the place of database "${connection.database}".`,
    );
  }
  if (set.foreign !== undefined) {
    warnings.push(
      `Archive "${set.path}" was not made by tend: nothing says how many rows it must have, nor whether it is of a whole database.`,
    );
  }
  return warnings;
}

function refused(
  { target, obstacles }: RestorePlan,
  { source, into }: Pick<PlanRestoreOptions, 'source' | 'into'>,
): TendError {
  const [first, ...others] = obstacles;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return new TendError(
    'RESTORE_REFUSED',
    `Database "${target}" cannot be restored: ${first?.what ?? ''}${more}.`,
    {
      isPermanent: true,
      // One alone stands in the message, and what helps in the hint.
      ...(others.length > 0 && { details: obstacles.map(describeObstacle).join('\n') }),
      hint: `Nothing was changed.${fixOf(first)} See everything in its way: ${restoreCommand({ source, into })} --dry-run`,
    },
  );
}

/** `tend restore offsite:ID --into cms_copy`. */
function restoreCommand({ source, into }: Pick<PlanRestoreOptions, 'source' | 'into'>): string {
  const words = [...(source === null ? [] : [source]), ...(into === undefined ? [] : ['--into', into])];
  return ['tend restore', ...words.map(shellWord)].join(' ');
}

/** An obstacle in a line. */
export function describeObstacle({ what, fix }: Obstacle): string {
  return fix === null ? what : `${what}: ${fix}`;
}

function fixOf(obstacle: Obstacle | undefined): string {
  const fix = obstacle?.fix ?? null;
  return fix === null ? '' : ` To help: ${fix}.`;
}
