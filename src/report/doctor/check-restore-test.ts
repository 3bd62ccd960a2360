import { formatDuration } from '../../duration.ts';
import { lastTested } from '../find-backup-status.ts';
import { findBackups } from '../find-backups.ts';
import type { DoctorCheck } from './doctor-check.ts';

const dayMs = 86_400_000;
/** A monthly test restore, and half a month to notice. */
const oldMs = 45 * dayMs;

/** A backup was restored as a test lately. */
export const checkRestoreTest: DoctorCheck = {
  name: 'restore-test',
  needs: 'identity',
  async run({ openDatabase }) {
    const { sets, firstAgeMs } = await findBackups(await openDatabase());
    const tested = lastTested(sets);
    const fix =
      '[schedules.verify] with payload = { restore = true } in tend.toml, or tend backup verify --restore';
    if (tested === undefined) {
      const isNew = (firstAgeMs ?? 0) < oldMs;
      if (isNew) return { status: 'ok', text: 'no backup was restored as a test yet' };
      return { status: 'warn', text: 'no backup that is still there was ever restored as a test', fix };
    }
    const ageMs = tested.restoreTestAgeMs ?? 0;
    const took = formatDuration(tested.restoreMs ?? 0);
    const text = `"${tested.id}" was restored ${formatDuration(ageMs)} ago, which took ${took}`;
    return ageMs < oldMs ? { status: 'ok', text } : { status: 'warn', text, fix };
  },
};
