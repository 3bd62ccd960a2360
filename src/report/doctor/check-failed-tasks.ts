import { countByKind, describeCounts } from './count-by-kind.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** No task has failed for good in the last day. */
export const checkFailedTasks: DoctorCheck = {
  name: 'failed-tasks',
  needs: 'identity',
  async run({ openDatabase }) {
    const counts = await countByKind({ db: await openDatabase(), which: 'failed in the last day' });
    if (counts.length === 0) return { status: 'ok', text: 'none has failed in the last day' };
    return {
      status: 'warn',
      text: `failed in the last day: ${describeCounts(counts)}`,
      fix: 'tend tasks --state failed --since 1d, then tend tasks retry ID',
    };
  },
};
