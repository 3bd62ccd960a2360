import type { Clock } from '../../clock.ts';
import { TendError, toError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { type BackupSet, findBackup } from '../sets/backup-directory.ts';
import { findRemoteIds, type UnfinishedSet } from './find-remote-sets.ts';
import type { RemoteStore } from './remote-store.ts';
import { removeRemoteSet } from './remove-remote-set.ts';
import { uploadSet } from './upload-set.ts';

export interface FinishUploadsOptions {
  /** The set that was just stored. */
  set: BackupSet;
  store: RemoteStore;
  directory: string;
  baseDirectory: string;
  clock: Clock;
  log: Log;
  report: (detail: string) => void;
}

/** Remains that nobody here can finish may be the upload of another host, which is at it. */
const untouchedForMs = 7 * 86_400_000;

/**
 * Brings uploads to their end that were cut off before, where the set is still here; removes the remains of others when
 * nobody has added to them for a week. The set that matters is stored by now: what fails here is a warning.
 */
export async function finishUploads(options: FinishUploadsOptions): Promise<void> {
  const { set, store, log } = options;
  try {
    const { unfinished } = await findRemoteIds(store);
    for (const remains of unfinished) {
      if (remains.id !== set.id) await finish(options, remains);
    }
  } catch (error) {
    store.signal.throwIfAborted();
    log.warn(`Remains of uploads in remote "${store.name}" stay as they are: ${toError(error).message}`);
  }
}

async function finish(options: FinishUploadsOptions, remains: UnfinishedSet): Promise<void> {
  const { store, directory, baseDirectory, clock, log } = options;
  const { id, path } = remains;
  const set = await findBackup({ source: id, directory, baseDirectory }).catch(() => undefined);
  if (set !== undefined) {
    await uploadSet({ ...options, set });
    log.info(`The upload of "${id}" to remote "${store.name}", which was cut off, is finished.`);
    return;
  }
  if (clock.now().getTime() - remains.modifiedAt.getTime() < untouchedForMs) return;
  try {
    await removeRemoteSet(store, id);
    log.info(`Removed "${path}": remains of an upload that nobody finished.`);
  } catch (error) {
    if (!(error instanceof TendError) || error.code !== 'REMOTE_PERMISSION') throw error;
    log.info(`"${path}" holds remains of an upload, which may not be removed from here.`);
  }
}
