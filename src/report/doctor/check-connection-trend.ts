import { findLimits } from '../../activity/find-limits.ts';
import { findRisingApplications, type RisingApplication } from '../../activity/find-rising-applications.ts';
import { formatDuration } from '../../duration.ts';
import type { DoctorCheck } from './doctor-check.ts';

const soonMs = 3_600_000;

/** No application takes more and more sessions, as one does that leaves its pools behind. */
export const checkConnectionTrend: DoctorCheck = {
  name: 'connection-trend',
  needs: 'identity',
  async run({ openDatabase }) {
    const db = await openDatabase();
    const { maxConnections, reserved } = await findLimits(db);
    const rising = await findRisingApplications({ db, available: maxConnections - reserved });
    const [fastest] = rising;
    if (fastest === undefined) return { status: 'ok', text: 'no application takes more and more sessions' };
    return {
      status: fastest.exhaustedInMs < soonMs ? 'fail' : 'warn',
      text: `${rising.map(describe).join('; ')}: a leak?`,
      fix: 'tend connections shows them; restart that application, and close or share its pools',
    };
  },
};

function describe({ application, from, to, overMs, exhaustedInMs }: RisingApplication): string {
  return `sessions of "${application}" rose from ${from} to ${to} in ${formatDuration(overMs)}, and none is left in ${formatDuration(exhaustedInMs)} at this pace`;
}
