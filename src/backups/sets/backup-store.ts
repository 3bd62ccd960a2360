import { readdir } from 'node:fs/promises';
import { type BackupSet, type DamagedSet, listBackups } from './backup-directory.ts';
import { isStranger } from './backup-id.ts';
import { removeSet, removingSuffix } from './remove-set.ts';
import { partialSuffix } from './sweep-partials.ts';

/** A place that holds sets, as retention sees it: the backup directory, or a remote. */
export interface BackupStore {
  /** For people: the directory, or the address. */
  place: string;
  /** Everything that is there; sets newest first. */
  listBackups(): Promise<StoreListing>;
  /** Rejects where the set could not be removed; what it leaves is no set then, or the set as it was. */
  removeSet(set: BackupSet): Promise<void>;
}

export interface StoreListing {
  sets: BackupSet[];
  damaged: DamagedSet[];
  /** Sets that are not complete: their upload was cut off, or is at work. */
  unfinished: string[];
  /** Names of what is no set and none of ours. */
  strangers: string[];
}

/** The backup directory of this host; the caller holds its lock where it removes something. */
export function directoryStore(directory: string): BackupStore {
  return {
    place: directory,
    listBackups: async () => ({
      ...(await listBackups(directory)),
      unfinished: [],
      strangers: await findStrangers(directory),
    }),
    removeSet: async ({ id }) => await removeSet(directory, id),
  };
}

const remains = [partialSuffix, removingSuffix];

async function findStrangers(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => isStranger(name) && !remains.some((end) => name.endsWith(end))).sort();
}
