import { findAlerts, findUntoldAlerts } from '../find-alerts.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** Whoever `[monitor] mail_to` names has been told of all that is broken. */
export const checkFailureMail: DoctorCheck = {
  name: 'failure-mail',
  needs: 'identity',
  async run({ openDatabase }) {
    const alerts = await findAlerts(await openDatabase());
    const [first, ...others] = findUntoldAlerts(alerts);
    if (first === undefined) return { status: 'ok', text: describeTold(alerts.length) };
    const task = alerts.find(({ isUntold }) => isUntold)?.mailTask;
    return {
      status: 'fail',
      text: others.length === 0 ? first : `${first}, and ${others.length} more`,
      fix: `tend tasks show ${task}; once the server takes mail again, tend tasks retry ${task}`,
    };
  },
};

function describeTold(count: number): string {
  return count === 0
    ? 'nothing is broken that somebody should be told of'
    : `nothing is left to tell of ${count} broken`;
}
