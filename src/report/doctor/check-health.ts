import { findHealth } from '../find-health.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** Problems that a check of its own reports, with more words and a fix. */
const reportedElsewhere = [
  /^no tick /, // ticks
  /^a task is due since |with an expired lease$/, // stuck-tasks
  / held: a person must decide$/, // held-tasks
  / failed in the last day$/, // failed-tasks
  / due of a kind nobody knows$/, // unknown-kinds
  / occurrences? missed in the last day$/, // missed-occurrences
  /^the backup due at /, // backup-age
  / cannot be planned: | is defined twice: | should have run at /, // schedules
];

/** View `tend.health` reports nothing that the other checks do not: so that what it learns to find is found here too. */
export const checkHealth: DoctorCheck = {
  name: 'health',
  needs: 'identity',
  async run({ openDatabase }) {
    const { problems } = await findHealth(await openDatabase());
    const others = problems.filter((problem) => !reportedElsewhere.some((pattern) => pattern.test(problem)));
    if (others.length === 0) return { status: 'ok', text: 'the database itself reports nothing else' };
    return { status: 'warn', text: others.join('; '), fix: 'tend status' };
  },
};
