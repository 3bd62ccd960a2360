import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { TendError } from '../errors.ts';

/** A session that may be ended, as a person is shown it. */
export interface NamedSession {
  pid: number;
  application: string;
  user: string;
  state: string | null;
  /** As PostgreSQL writes it, to the microsecond; with the pid it names one session for ever. Null where it is hidden. */
  startedAt: string | null;
}

interface Row extends NamedSession {
  isOwn: boolean;
  isClient: boolean;
  isForeignSuperuser: boolean;
}

/**
 * Looks a session up that somebody wants to end.
 *
 * @throws TendError SESSION_NOT_FOUND; SESSION_PROTECTED for the session that asks, a process of the server, and the
 *   session of another superuser, whatever we might be able to do: such a session is an administrator's at work.
 */
export async function nameSession(db: Kysely<Database>, pid: number): Promise<NamedSession> {
  const { rows } = await sql<Row>`
    select a.pid, coalesce(a.application_name, '') as application, coalesce(a.usename, '') as "user", a.state,
           a.backend_start::text as "startedAt", a.pid = pg_backend_pid() as "isOwn",
           a.usesysid is not null and coalesce(a.backend_type, 'client backend') = 'client backend' as "isClient",
           coalesce(r.rolsuper and r.rolname <> session_user, false) as "isForeignSuperuser"
      from pg_stat_activity a left join pg_roles r on r.oid = a.usesysid
     where a.pid = ${pid}`.execute(db);
  const [row] = rows;
  if (row === undefined)
    throw new TendError('SESSION_NOT_FOUND', `There is no session ${pid}.`, { hint: 'tend connections' });
  const { isOwn, isClient, isForeignSuperuser, ...session } = row;
  if (isOwn) throw protectedSession(pid, 'it is the session that asks');
  if (!isClient) throw protectedSession(pid, 'it is a process of the server, not the session of a client');
  if (isForeignSuperuser) throw protectedSession(pid, `it is a session of superuser "${session.user}"`);
  return session;
}

function protectedSession(pid: number, why: string): TendError {
  return new TendError('SESSION_PROTECTED', `Session ${pid} is left alone: ${why}.`, { isPermanent: true });
}
