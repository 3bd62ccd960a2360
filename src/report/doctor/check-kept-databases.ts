import { findKeptDatabases, type KeptDatabase } from '../../backups/cut-over/find-kept-databases.ts';
import { findScratchDatabases } from '../../backups/restore/find-scratch-databases.ts';
import { formatDuration } from '../../duration.ts';
import { formatBytes } from '../../format-bytes.ts';
import { shellWord } from '../../shell-word.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** No database that a restore has kept takes up room for longer than `[backup] keep_replaced`. */
export const checkKeptDatabases: DoctorCheck = {
  name: 'kept-databases',
  needs: 'database',
  async run({ connection, openDatabase, loadedConfig, clock }) {
    const { keep_replaced: keepMs } = loadedConfig.config.backup;
    const { database } = await connection();
    const db = await openDatabase();
    const left = await findScratchDatabases(db, { database, clock });
    if (left.length > 0) {
      const text = `left by a restore that was killed, unless it is at work: ${left.map((name) => `"${name}"`).join(', ')}`;
      return { status: 'warn', text, fix: left.map((name) => `dropdb ${shellWord(name)}`).join('; ') };
    }
    const kept = await findKeptDatabases(db, database);
    const now = clock.now().getTime();
    const old = kept.filter(({ since }) => now - since.getTime() > keepMs);
    if (old.length > 0) {
      const text = `kept for longer than ${formatDuration(keepMs)}: ${old.map((one) => describe(one, now)).join(', ')}`;
      return { status: 'warn', text, fix: old.map(({ name }) => `dropdb ${shellWord(name)}`).join('; ') };
    }
    if (kept.length === 0) return { status: 'ok', text: 'no restore has left a database' };
    return { status: 'ok', text: `kept: ${kept.map((one) => describe(one, now)).join(', ')}` };
  },
};

function describe({ name, sizeBytes, since }: KeptDatabase, now: number): string {
  const size = sizeBytes === null ? '' : `${formatBytes(sizeBytes)}, `;
  return `"${name}" (${size}for ${formatDuration(now - since.getTime())})`;
}
