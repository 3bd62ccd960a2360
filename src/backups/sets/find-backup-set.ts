import type { Config } from '../../config/schema.ts';
import type { SecretRegistry } from '../../redact.ts';
import { findRemoteSet, listRemoteSets, type UnfinishedSet } from '../remotes/find-remote-sets.ts';
import { openRemote } from '../remotes/open-remote.ts';
import {
  type BackupSet,
  backupDirectory,
  type DamagedSet,
  findBackup,
  listBackups,
} from './backup-directory.ts';

/** Where sets are looked for: in a remote, or in the backup directory. */
export interface SetsPlace {
  remote: string | undefined;
  config: Config;
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  signal: AbortSignal;
}

/** What is in one place. */
export interface SetsThere {
  /** A directory here, or the address of a remote. */
  directory: string;
  sets: BackupSet[];
  damaged: DamagedSet[];
  /** Uploads that were cut off or are at work. */
  unfinished: UnfinishedSet[];
}

/** All sets of a place, newest first. */
export async function listSets(place: SetsPlace): Promise<SetsThere> {
  const { remote, config, baseDirectory } = place;
  if (remote === undefined) {
    const directory = backupDirectory(config, baseDirectory);
    return { directory, ...(await listBackups(directory)), unfinished: [] };
  }
  const store = await openRemote({ ...place, name: remote });
  return { directory: store.address, ...(await listRemoteSets(store)) };
}

/**
 * The set that `source` means in a place: an id or `latest`; in the backup directory also a path.
 *
 * @throws TendError BACKUP_NOT_FOUND, BACKUP_DAMAGED, REMOTE_….
 */
export async function findSet(
  place: SetsPlace & { source: string /** What a path is relative to. */; cwd: string },
): Promise<BackupSet> {
  const { remote, config, baseDirectory, source, cwd } = place;
  if (remote !== undefined) return await findRemoteSet(await openRemote({ ...place, name: remote }), source);
  const directory = backupDirectory(config, baseDirectory);
  return await findBackup({ source, directory, baseDirectory: cwd });
}
