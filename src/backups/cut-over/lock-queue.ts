import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { errorCodeOf } from '../../database/translate-database-error.ts';
import type { Log } from '../../log.ts';
import { queueTables, queueVersion } from './queue-schema.ts';

const tries = 5;

/**
 * Locks the live queue against writes, in the transaction that `session` has open; reading goes on. A session that
 * holds it by a transaction of its own (an application that has enqueued and not committed) is ended after a second:
 * the cut-over that follows would end it anyway.
 */
export async function lockQueue(session: Kysely<Database>, log: Log): Promise<void> {
  if ((await queueVersion(session)) === undefined) return;
  const tables = sql.join((await queueTables(session)).map((name) => sql.id('tend', name)));
  await sql`set local lock_timeout = '1s'`.execute(session);
  for (let attempt = 1; ; attempt += 1) {
    await sql`savepoint locking`.execute(session);
    try {
      await sql`lock table ${tables} in exclusive mode`.execute(session);
      return;
    } catch (error) {
      await sql`rollback to savepoint locking`.execute(session);
      if (errorCodeOf(error) !== '55P03' || attempt === tries) throw error;
    }
    for (const pid of await endHolders(session)) log.warn(`Ended session ${pid}: it held the queue.`);
  }
}

async function endHolders(session: Kysely<Database>): Promise<number[]> {
  const { rows } = await sql<{ pid: number }>`
    select holder.pid from (
      select distinct l.pid from pg_catalog.pg_locks l
        join pg_catalog.pg_class c on c.oid = l.relation and c.relnamespace = 'tend'::pg_catalog.regnamespace
       where l.granted and l.locktype = 'relation' and l.mode <> 'AccessShareLock' and l.pid <> pg_backend_pid()
         and l.database = (select oid from pg_catalog.pg_database where datname = current_database())) holder
     where pg_catalog.pg_terminate_backend(holder.pid)`.execute(session);
  return rows.map(({ pid }) => pid);
}
