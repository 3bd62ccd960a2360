import { stat } from 'node:fs/promises';
import type { Kysely } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import type { ArchiveEntry } from '../archive/archive-toc.ts';
import { readTocOf } from '../archive/foreign-archive.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import { filesPart } from '../sets/manifest.ts';
import { findLiveObjects } from './find-live-objects.ts';
import { describeObject, findForeignOwned, findNewerObjects, selectEntries } from './select-entries.ts';

/**
 * Refuses a set that is not for this way of restoring.
 *
 * @throws TendError RESTORE_REFUSED.
 */
export function refuseUnfit({ set, includeFiles }: { set: BackupSet; includeFiles: 'yes' | 'no' }): void {
  if (set.foreign !== undefined)
    throw refused(
      `"${set.path}" was not made by tend`,
      'Restore it into a new database: the same command with --into NAME, without --in-place',
    );
  if (filesPart(set.manifest) !== undefined && includeFiles === 'yes')
    throw refused(
      'files cannot be exchanged in one transaction with it',
      'For the database alone: the same command with --no-files',
    );
}

export interface WithinPlan {
  archivePath: string;
  entries: ArchiveEntry[];
}

/**
 * What will be loaded over a live database, once nothing is in the way.
 *
 * @throws TendError RESTORE_REFUSED naming what is newer than the backup, or belongs to another role.
 */
export async function planWithin(
  live: Kysely<Database>,
  set: BackupSet,
  archivePath: string | undefined,
): Promise<WithinPlan> {
  const toc = archivePath === undefined ? undefined : await readTocOf(archivePath);
  if (archivePath === undefined || toc === undefined || (await stat(archivePath)).isDirectory())
    throw refused(
      `the dump of "${set.id}" could not be unpacked into a file`,
      'Make room in [backup] work_directory.',
    );
  const objects = await findLiveObjects(live);
  const newer = findNewerObjects(toc, objects).map(describeObject);
  if (newer.length > 0)
    throw refused(
      `the backup does not have what is there now: ${named(newer)}`,
      'Drop them, or restore into a new database: the same command with --into NAME, without --in-place',
      newer,
    );
  const others = findForeignOwned(objects).map(describeObject);
  if (others.length > 0)
    throw refused(`this role does not own ${named(others)}`, 'Use the role that does.', others);
  return { archivePath, entries: selectEntries(toc, objects) };
}

function refused(why: string, hint: string, all: string[] = []): TendError {
  return new TendError('RESTORE_REFUSED', `It cannot be restored in place: ${why}.`, {
    ...{ isPermanent: true, hint: `Nothing was changed. ${hint}` },
    ...(all.length > 0 && { details: all.join('\n') }),
  });
}

/** The first, and how many others there are. */
export function named(all: readonly string[]): string {
  const [first = '', ...others] = all;
  return first.replace(/\.$/, '') + (others.length === 0 ? '' : ` (and ${others.length} more)`);
}
