import { setTimeout as pause } from 'node:timers/promises';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import { markDatabase } from '../restore/scratch-database.ts';
import { copyComment, copyDatabaseProperties } from './copy-database-properties.ts';
import type { DatabaseMark } from './database-marks.ts';

export interface SwapDatabasesOptions {
  /** A session outside of both databases. */
  maintenance: Kysely<Database>;
  /** A session in the live database; it is gone afterwards. */
  session: Kysely<Database>;
  /** The name that the application knows. */
  name: string;
  /** The database that takes the name, and the name that the present one gets. */
  replacement: string;
  keepAs: string;
  /** Whether settings, privileges and the like go over from the present database; its comment always does. */
  properties: 'copy' | 'keep';
  /** The comment of the database that is replaced. */
  mark: DatabaseMark;
  /** What is to change when nobody is connected; the names change after it, and not when it throws. */
  meanwhile: Reversible;
  clock: Clock;
}

/** A change that goes with that of the names; both can be done again when they were done. */
export interface Reversible {
  apply: () => Promise<void>;
  undo: () => Promise<void>;
}

/** When nobody could write to the database any more that is replaced. */
export interface CutOverMoment {
  /** By the clock of the server. */
  at: Date;
  /** The transaction id that no transaction had reached by then (txid_snapshot_xmax). */
  xid: string;
}

export interface SwappedDatabases {
  /** How long connecting to `name` had to wait. */
  outageMs: number;
  moment: CutOverMoment;
}

const pollMs = 5;

/**
 * Renames two databases in one transaction: the live one away, the other into its place. No state in between survives
 * a crash, and nobody is locked out by anything durable.
 *
 * `ALTER DATABASE … RENAME` takes its lock, behind which new connections queue, and waits up to five seconds for the
 * present ones to end (dbcommands.c, CountOtherDBBackends). Meanwhile `session` ends them, itself last: so whatever it
 * has locked stays locked until nobody is left who could write.
 */
export async function swapDatabases(options: SwapDatabasesOptions): Promise<SwappedDatabases> {
  const { maintenance, session, name, replacement, keepAs, clock } = options;
  const startedMs = clock.monotonicMs();
  const pid = Promise.withResolvers<number>();
  const everybodyLeft = Promise.withResolvers<void>();
  everybodyLeft.promise.catch(() => undefined);
  const renaming = maintenance.transaction().execute(async (transaction) => {
    await takeCutOverLock(transaction, name);
    pid.resolve(await ownPid(transaction));
    await sql`alter database ${sql.id(name)} rename to ${sql.id(keepAs)}`.execute(transaction);
    await everybodyLeft.promise;
    await options.meanwhile.apply();
    await sql`alter database ${sql.id(replacement)} rename to ${sql.id(name)}`.execute(transaction);
    if (options.properties === 'copy') {
      await copyDatabaseProperties({ maintenance: transaction, from: keepAs, to: name });
    }
    await copyComment({ maintenance: transaction, from: keepAs, to: name });
    await markDatabase(transaction, keepAs, options.mark);
  });
  let hasEnded = false;
  renaming.catch((error: unknown) => {
    hasEnded = true;
    pid.reject(error);
  });
  let moment: CutOverMoment | undefined;
  try {
    const renamer = await pid.promise;
    await endOthers({ session, renamer, isOver: () => hasEnded });
    moment = await readMoment(session);
    everybodyLeft.resolve();
    await leave(session);
  } catch (error) {
    everybodyLeft.reject(error);
  }
  await renaming;
  if (moment === undefined) throw new Error('The databases were swapped before everybody had left.');
  return { outageMs: Math.round(clock.monotonicMs() - startedMs), moment };
}

/** One cut-over of a database at a time; in the maintenance database, since advisory locks stay with their database. */
async function takeCutOverLock(transaction: Transaction<Database>, name: string): Promise<void> {
  const { rows } = await sql<{ taken: boolean }>`
    select pg_catalog.pg_try_advisory_xact_lock(hashtext('tend cut-over'), hashtext(${name})) as taken`.execute(
    transaction,
  );
  if (rows[0]?.taken === true) return;
  throw new TendError('BACKUP_BUSY', `Another restore is replacing database "${name}" right now.`);
}

async function ownPid(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ pid: number }>`select pg_catalog.pg_backend_pid() as pid`.execute(db);
  return rows[0]?.pid ?? 0;
}

/**
 * Ends every other session of the database, until nobody else is left after the renaming was seen to have its lock:
 * before that, one may still be coming in that the list does not show yet.
 */
async function endOthers(options: {
  session: Kysely<Database>;
  renamer: number;
  isOver: () => boolean;
}): Promise<void> {
  const { session, renamer, isOver } = options;
  let wasLocked = false;
  while (!isOver()) {
    // Within a transaction the server shows the same list of sessions again and again unless told otherwise.
    await sql`select pg_catalog.pg_stat_clear_snapshot()`.execute(session);
    const { rows } = await sql<{ others: number; isLocked: boolean }>`
      with ended as materialized (
        select pid, pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
         where datname = current_database() and pid <> pg_catalog.pg_backend_pid()
           and backend_type <> 'autovacuum worker')
      select (select count(*) from ended) as others, exists (
        select from pg_catalog.pg_locks l join pg_catalog.pg_database d on d.oid = l.objid
         where l.locktype = 'object' and l.classid = 'pg_catalog.pg_database'::pg_catalog.regclass
           and d.datname = current_database() and l.mode = 'AccessExclusiveLock' and l.granted
           and l.pid = ${renamer}) as "isLocked"`.execute(session);
    const [row] = rows;
    if (wasLocked && row?.others === 0) return;
    wasLocked = row?.isLocked === true;
    await pause(pollMs);
  }
}

async function readMoment(session: Kysely<Database>): Promise<CutOverMoment> {
  const { rows } = await sql<CutOverMoment>`
    select pg_catalog.clock_timestamp() as at,
           pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())::text as xid`.execute(session);
  const [row] = rows;
  if (row === undefined) throw new Error('The server did not tell its time.');
  return row;
}

/** Ends the session from within: closing it in the pool would leave it idle, and the renaming waiting for it. */
async function leave(session: Kysely<Database>): Promise<void> {
  await sql`select pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid())`
    .execute(session)
    .catch(() => undefined);
}
