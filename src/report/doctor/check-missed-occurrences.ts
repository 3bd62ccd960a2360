import { countByKind, describeCounts } from './count-by-kind.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** Every occurrence of a schedule in the last day was run, or left out for a reason that lies in the schedule. */
export const checkMissedOccurrences: DoctorCheck = {
  name: 'missed-occurrences',
  needs: 'identity',
  async run({ openDatabase }) {
    const counts = await countByKind({ db: await openDatabase(), which: 'missed in the last day' });
    const [first] = counts;
    if (first === undefined) return { status: 'ok', text: 'none was missed in the last day' };
    return {
      status: 'warn',
      text: `missed in the last day, by schedule: ${describeCounts(counts)}`,
      fix: `tend schedules show ${first.name}; tend tasks --state missed --since 1d says why`,
    };
  },
};
