import { findSessions, type Session } from '../../activity/find-sessions.ts';
import { formatDuration } from '../../duration.ts';
import type { DoctorCheck } from './doctor-check.ts';
import { limitFinding } from './limit-finding.ts';

const longMs = 10 * 60_000;

type IdleSession = Session & { stateAgeMs: number };

/** No session has begun a transaction and then forgotten it: its locks stay, and dead rows with them. */
export const checkIdleInTransaction: DoctorCheck = {
  name: 'idle-in-transaction',
  needs: 'database',
  async run({ openDatabase }) {
    const db = await openDatabase();
    const sessions = (await findSessions(db)).filter(isIdleInTransaction);
    const long = sessions
      .filter(({ stateAgeMs }) => stateAgeMs >= longMs)
      .sort((left, right) => right.stateAgeMs - left.stateAgeMs);
    const [oldest] = long;
    if (oldest === undefined) return await limitFinding(db, `none for ${formatDuration(longMs)} or longer`);
    const { pid, application, user, stateAgeMs } = oldest;
    const name = application === '' ? 'without a name' : `"${application}"`;
    return {
      status: 'warn',
      text: `${long.length} for ${formatDuration(longMs)} or longer, the oldest for ${formatDuration(stateAgeMs)}: session ${pid}, ${name}, of user "${user}"`,
      fix: `tend connections terminate ${pid}, or for all: alter role "${user}" set idle_in_transaction_session_timeout = '10min'`,
    };
  },
};

function isIdleInTransaction(session: Session): session is IdleSession {
  return session.state?.startsWith('idle in transaction') === true && session.stateAgeMs !== null;
}
