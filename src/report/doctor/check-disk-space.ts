import { resolve } from 'node:path';
import { type FreeSpace, findFreeSpace } from '../../backups/restore/find-free-space.ts';
import { formatBytes } from '../../format-bytes.ts';
import { shellWord } from '../../shell-word.ts';
import { findBackups } from '../find-backups.ts';
import type { DoctorCheck } from './doctor-check.ts';

const warnShare = 0.1;
const failShare = 0.03;

/** The backup directory and, where it is on this host, the server's data directory are not about to be full. */
export const checkDiskSpace: DoctorCheck = {
  name: 'disk-space',
  needs: 'identity',
  async run({ openDatabase, connection, loadedConfig: { config, baseDirectory } }) {
    const db = await openDatabase();
    const { directory } = config.backup;
    const backupDirectory = directory === undefined ? undefined : resolve(baseDirectory, directory);
    const places = await findFreeSpace({ db, connection: await connection(), backupDirectory });
    const newest = (await findBackups(db)).sets[0];
    const nextBytes = Object.values(newest?.contents ?? {}).reduce((sum, bytes) => sum + bytes, 0);
    const short = places.filter((place) => shareOf(place) < warnShare || isTooSmall(place, nextBytes));
    if (short.length === 0)
      return { status: 'ok', text: places.map(describe).join('; ') || 'none is looked at from here' };
    const isSerious = short.some((place) => shareOf(place) < failShare || isTooSmall(place, nextBytes));
    const [first] = short;
    return {
      status: isSerious ? 'fail' : 'warn',
      text: short.map(describe).join('; '),
      fix:
        first?.holds === 'backups'
          ? 'tend backup prune --dry-run, then a smaller [backup] keep, or a larger disk'
          : `Make room: df -h ${shellWord(first?.directory ?? '/')}`,
    };
  },
};

/** A set can hold as much as the one before, if nothing of it can be compressed. */
function isTooSmall({ holds, freeBytes }: FreeSpace, nextBytes: number): boolean {
  return holds === 'backups' && freeBytes < nextBytes;
}

function shareOf({ freeBytes, totalBytes }: FreeSpace): number {
  return totalBytes === 0 ? 1 : freeBytes / totalBytes;
}

function describe(place: FreeSpace): string {
  const percent = Math.floor(shareOf(place) * 100);
  return `${formatBytes(place.freeBytes)} (${percent} %) are free in ${place.directory}, which holds the ${place.holds}`;
}
