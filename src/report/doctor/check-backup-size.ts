import { formatBytes } from '../../format-bytes.ts';
import { findBackups } from '../find-backups.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** Of what is small, a few rows are half. */
const noticeableBytes = 10_000_000;

/**
 * The newest backup holds not much less than the one before. What is compared is what the parts hold uncompressed, each
 * with its like: other compression, encryption or `--no-files` is no loss.
 */
export const checkBackupSize: DoctorCheck = {
  name: 'backup-size',
  needs: 'identity',
  async run({ openDatabase }) {
    const { sets } = await findBackups(await openDatabase());
    const [newest, previous] = sets.filter(({ verifyError }) => verifyError === null);
    if (newest === undefined || previous === undefined)
      return { status: 'ok', text: 'there are no two backups to compare' };
    for (const [holds, bytes] of Object.entries(newest.contents)) {
      const before = previous.contents[holds] ?? 0;
      if (before - bytes < noticeableBytes || bytes > before / 2) continue;
      return {
        status: 'warn',
        text: `the newest, ${newest.id}, holds ${formatBytes(bytes)} of ${holds}, the one before ${formatBytes(before)}`,
        fix: `Compare them: tend backup show ${newest.id}; tend backup show ${previous.id}`,
      };
    }
    return { status: 'ok', text: 'the newest holds about as much as the one before' };
  },
};
