import { type Kysely, sql } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/tables.ts';
import { formatDuration } from '../../duration.ts';
import { TendError } from '../../errors.ts';

export interface BlockedOptions {
  maintenance: Kysely<Database>;
  /** The database that pg_restore works in. */
  database: string;
  lockWaitMs: number;
  clock: Clock;
  signal: AbortSignal;
}

const lookEveryMs = 500;

/**
 * Runs pg_restore, and stops it when it has waited for one lock for longer than `lockWaitMs`: it sets `lock_timeout` to
 * 0 itself, whatever PGOPTIONS say, and everybody else queues behind it meanwhile. Its statement is cancelled on the server:
 * whoever killed pg_restore would not know whether it had just committed.
 *
 * @throws TendError DATABASE_BUSY naming who is in the way.
 */
export async function withLockWait<T>(options: BlockedOptions, work: () => Promise<T>): Promise<T> {
  const { lockWaitMs, clock, signal } = options;
  let waiting: { since: number; what: string } | undefined;
  let holders = '';
  const look = async () => {
    const found = await findBlocked(options);
    if (found === undefined) waiting = undefined;
    else if (waiting?.what !== found.what) {
      waiting = { since: clock.monotonicMs(), what: found.what };
      holders = '';
    } else if (clock.monotonicMs() - waiting.since >= lockWaitMs) {
      holders = found.holders;
      await cancel(options, found.pid);
    }
  };
  const timer = setInterval(() => void look().catch(() => undefined), Math.min(lookEveryMs, lockWaitMs));
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    // Whatever it said, in whatever language: with the cancelled statement ended the transaction.
    if (holders === '') throw error;
    const message = `Database "${options.database}" is in use: pg_restore waited ${formatDuration(lockWaitMs)} for a lock of ${holders}.`;
    throw new TendError('DATABASE_BUSY', message, {
      cause: error,
      hint: 'Nothing was changed. Stop the application, or wait until that session has ended; sessions are not ended for you here.',
    });
  } finally {
    clearInterval(timer);
  }
}

async function findBlocked({ maintenance, database }: BlockedOptions) {
  const { rows } = await sql<{ pid: number; what: string; holders: string }>`
    select a.pid, a.pid || ' ' || coalesce(l.relation::text, l.locktype) as what,
           (select pg_catalog.string_agg(pg_catalog.concat_ws(', ', 'session ' || b.pid || ' (role ' || b.usename,
                     nullif(b.application_name, ''), b.state) || ')', '; ')
              from pg_catalog.pg_stat_activity b where b.pid = any (pg_catalog.pg_blocking_pids(a.pid))) as holders
      from pg_catalog.pg_stat_activity a join pg_catalog.pg_locks l on l.pid = a.pid and not l.granted
     where a.datname = ${database} and a.application_name = 'tend pg_restore' and a.usename = current_user
     limit 1`.execute(maintenance);
  const [row] = rows;
  return row === undefined ? undefined : { ...row, holders: row.holders ?? 'a session that is gone' };
}

async function cancel({ maintenance }: BlockedOptions, pid: number): Promise<void> {
  await sql`select pg_catalog.pg_cancel_backend(${pid}::int)`.execute(maintenance);
}
