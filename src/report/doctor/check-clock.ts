import { sql } from 'kysely';
import { formatDuration } from '../../duration.ts';
import type { DoctorCheck } from './doctor-check.ts';

const noticeableMs = 5000;
const seriousMs = 60_000;

/**
 * This host's clock agrees with the database's. Due times and leases are the database's and do not suffer; the dates of
 * mails, the names of backup sets and whatever a log is compared with are this host's.
 */
export const checkClock: DoctorCheck = {
  name: 'clock',
  needs: 'database',
  async run({ openDatabase, clock }) {
    const db = await openDatabase();
    await sql`select`.execute(db); // so that what is measured is a statement, not a connection
    const before = clock.now().getTime();
    const { rows } = await sql<{ ms: number }>`
      select extract(epoch from clock_timestamp())::float8 * 1000 as ms`.execute(db);
    const after = clock.now().getTime();
    // Anything between the two readings is no difference.
    const theirs = rows[0]?.ms ?? after;
    const skewMs = theirs < before ? before - theirs : Math.max(0, theirs - after);
    if (skewMs < noticeableMs) return { status: 'ok', text: 'it agrees with that of the database' };
    const direction = theirs < before ? 'ahead of' : 'behind';
    return {
      status: skewMs < seriousMs ? 'warn' : 'fail',
      text: `it is ${formatDuration(skewMs)} ${direction} that of the database`,
      fix: 'Let both hosts keep their time: timedatectl set-ntp true',
    };
  },
};
