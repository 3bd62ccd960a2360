import { type Connections, findConnections } from '../../activity/find-connections.ts';
import type { DoctorCheck } from './doctor-check.ts';
import { limitFinding } from './limit-finding.ts';

const staleMs = 600_000;
const warnPercent = 75;
const failPercent = 90;
/** Sessions that the fix names. */
const mostNamed = 10;

/** Sessions are left on the server. Where they run short, the largest group is named: it is the first to ask. */
export const checkConnections: DoctorCheck = {
  name: 'connections',
  needs: 'database',
  async run({ openDatabase }) {
    const db = await openDatabase();
    const connections = await findConnections({ db, staleMs });
    const { used, available, usedPercent } = connections;
    const text = `${used} of ${available} sessions are in use (${usedPercent} %)`;
    if (usedPercent < warnPercent) return await limitFinding(db, text);
    const largest = findLargest(connections);
    return {
      status: usedPercent < failPercent ? 'warn' : 'fail',
      text: `${text}: ${largest.map(({ name, count }) => `${count} are ${name}`).join(', ')}`,
      fix: fixFor(connections),
    };
  },
};

/** By application and user; states do not matter here. */
function findLargest({ groups }: Connections): { name: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { application, user, count } of groups) {
    const name = `${application === '' ? 'sessions without a name' : `"${application}"`} of user "${user}"`;
    counts.set(name, (counts.get(name) ?? 0) + count);
  }
  const sorted = [...counts].sort((left, right) => right[1] - left[1]);
  return sorted.slice(0, 3).map(([name, count]) => ({ name, count }));
}

/** What is stale can go at once; where nothing is, a person chooses. */
function fixFor({ stale }: Connections): string {
  const pids = stale.slice(0, mostNamed).map(({ pid }) => pid);
  const named = pids.length === 0 ? 'PID' : pids.join(' ');
  const first = pids.length === 0 ? 'tend connections --stale 1s, then ' : '';
  const more =
    stale.length > mostNamed ? ` and ${stale.length - mostNamed} more of tend connections --stale 10m` : '';
  return `${first}tend connections terminate ${named}${more}; for good: a smaller pool, or one that is closed`;
}
