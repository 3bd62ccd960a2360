import { type Connections, findConnections } from '../../activity/find-connections.ts';
import type { DoctorCheck } from './doctor-check.ts';

const staleMs = 600_000;
const warnPercent = 75;
const failPercent = 90;

/** Sessions are left on the server. Where they run short, the largest group is named: it is the first to ask. */
export const checkConnections: DoctorCheck = {
  name: 'connections',
  needs: 'database',
  async run({ openDatabase }) {
    const connections = await findConnections({ db: await openDatabase(), staleMs });
    const { used, available, usedPercent } = connections;
    const text = `${used} of ${available} sessions are in use (${usedPercent} %)`;
    if (usedPercent < warnPercent) return { status: 'ok', text };
    return {
      status: usedPercent < failPercent ? 'warn' : 'fail',
      text: `${text}: ${describeLargest(connections)}`,
      fix: 'tend connections, then tend connections terminate PID; and a smaller pool, or one that is closed',
    };
  },
};

/** By application and user; states do not matter here. */
function describeLargest({ groups }: Connections): string {
  const counts = new Map<string, number>();
  for (const { application, user, count } of groups) {
    const name = `${application === '' ? 'sessions without a name' : `"${application}"`} of user "${user}"`;
    counts.set(name, (counts.get(name) ?? 0) + count);
  }
  const largest = [...counts].sort((left, right) => right[1] - left[1]).slice(0, 3);
  return largest.map(([name, count]) => `${count} are ${name}`).join(', ');
}
