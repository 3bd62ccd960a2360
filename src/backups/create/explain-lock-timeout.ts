import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { formatDuration } from '../../duration.ts';
import { TendError } from '../../errors.ts';

/**
 * When pg_dump has waited too long for a table it says "statement timeout", which sounds like another thing. The session
 * in its way is most likely still there: names it, and the table. Any other error is what it was.
 */
export async function explainLockTimeout(
  error: unknown,
  options: { db: Kysely<Database>; lockWaitMs: number },
): Promise<unknown> {
  const { db, lockWaitMs } = options;
  if (!(error instanceof TendError) || !isLockTimeout(error)) return error;
  const { rows } = await sql<{ table: string; holder: string; pid: number }>`
    select l.relation::pg_catalog.regclass::text as table, l.pid,
           pg_catalog.concat_ws(', ', 'role ' || a.usename, nullif(a.application_name, ''), a.state) as holder
      from pg_catalog.pg_locks l join pg_catalog.pg_class c on c.oid = l.relation
      left join pg_catalog.pg_stat_activity a on a.pid = l.pid
     where l.granted and l.mode = 'AccessExclusiveLock' and c.relkind in ('r', 'p', 'f')
       and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
     limit 1`.execute(db);
  const [row] = rows;
  if (row === undefined) return error;
  const { table, pid, holder } = row;
  const message = `No dump: table ${table} was locked for more than ${formatDuration(lockWaitMs)} by session ${pid} (${holder}).`;
  return new TendError('TOOL_FAILED', message, {
    cause: error,
    hint: `Try again when it has ended, or wait longer: [backup] lock_wait. To end it: select pg_terminate_backend(${pid})`,
  });
}

function isLockTimeout({ message, details }: TendError): boolean {
  return /(lock|statement) timeout/.test(message) && details?.includes('Query was: LOCK TABLE') === true;
}
