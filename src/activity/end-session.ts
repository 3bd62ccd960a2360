import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { errorCodeOf } from '../database/translate-database-error.ts';
import { TendError } from '../errors.ts';
import type { NamedSession } from './name-session.ts';

export interface EndSessionOptions {
  db: Kysely<Database>;
  /** As it was shown to who decided. */
  session: NamedSession;
  /** `cancel` stops its statement, `terminate` ends it. */
  way: 'cancel' | 'terminate';
}

/** How long the end of a session is waited for. */
const endMs = 5000;

/**
 * Stops the statement of a session, or ends the session and waits for its end. It must still be the session that was
 * looked at: a server gives a pid away again.
 *
 * @returns what became of it, as a sentence's end.
 * @throws TendError DATABASE_PERMISSION, SESSION_NOT_FOUND where it has ended meanwhile, DATABASE_BUSY where it does not end.
 */
export async function endSession({ db, session, way }: EndSessionOptions): Promise<string> {
  const { pid, startedAt, state } = session;
  if (way === 'cancel' && state !== null && state.startsWith('idle'))
    return `has no statement to cancel: ${state}`;
  const signal =
    way === 'cancel' ? sql`pg_cancel_backend(a.pid)` : sql`pg_terminate_backend(a.pid, ${endMs})`;
  try {
    const { rows } = await sql<{ isDone: boolean }>`
      select ${signal} as "isDone" from pg_stat_activity a
       where a.pid = ${pid} and a.backend_start::text is not distinct from ${startedAt}`.execute(db);
    const [row] = rows;
    if (row === undefined) throw new TendError('SESSION_NOT_FOUND', `Session ${pid} has ended by itself.`);
    if (row.isDone) return way === 'cancel' ? 'was told to stop its statement' : 'has ended';
  } catch (error) {
    if (errorCodeOf(error) !== '42501') throw error;
    const { own, other } = await quoteRoles(db, session.user);
    throw new TendError('DATABASE_PERMISSION', `Session ${pid} of "${session.user}" is not ours to ${way}.`, {
      cause: error,
      hint: `As a superuser: grant pg_signal_backend to ${own}, or grant ${other} to ${own}`,
    });
  }
  throw new TendError(
    'DATABASE_BUSY',
    `Session ${pid} was told to end, and is still there after ${endMs / 1000} s.`,
    {
      hint: 'tend connections',
    },
  );
}

/** Our role and that of the session, as a statement names them. */
async function quoteRoles(db: Kysely<Database>, user: string): Promise<{ own: string; other: string }> {
  const { rows } = await sql<{ own: string; other: string }>`
    select quote_ident(current_user) as own, quote_ident(${user}) as other`.execute(db);
  return rows[0] ?? { own: 'ROLE', other: user };
}
