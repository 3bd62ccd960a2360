import { countByKind, describeCounts } from './count-by-kind.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** No task waits for the decision of a person. */
export const checkHeldTasks: DoctorCheck = {
  name: 'held-tasks',
  needs: 'identity',
  async run({ openDatabase }) {
    const counts = await countByKind({ db: await openDatabase(), which: 'held' });
    if (counts.length === 0) return { status: 'ok', text: 'none is held' };
    return {
      status: 'warn',
      text: `held until a person decides: ${describeCounts(counts)}`,
      fix: 'tend tasks --state held, then tend tasks resolve ID --done, --retry or --drop',
    };
  },
};
