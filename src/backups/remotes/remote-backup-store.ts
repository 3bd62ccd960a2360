import type { BackupStore } from '../sets/backup-store.ts';
import { listRemoteSets } from './find-remote-sets.ts';
import type { RemoteStore } from './remote-store.ts';
import { removeRemoteSet } from './remove-remote-set.ts';

/** A remote, as retention sees it; the caller holds its lock where it removes something. */
export function remoteBackupStore(store: RemoteStore): BackupStore {
  return {
    place: store.address,
    async listBackups() {
      const { sets, damaged, unfinished } = await listRemoteSets(store);
      await using connection = await store.connect();
      const strangers = await connection.listStrangers();
      return { sets, damaged, unfinished: unfinished.map(({ id }) => id), strangers: strangers.sort() };
    },
    removeSet: async ({ id }) => await removeRemoteSet(store, id),
  };
}
