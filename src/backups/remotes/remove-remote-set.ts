import type { RemoteStore } from './remote-store.ts';

const manifestName = 'manifest.json';

/**
 * Removes a set from a remote, or what is left of one. The manifest goes first: a removal that is cut off leaves
 * nothing that looks like a set.
 */
export async function removeRemoteSet(store: RemoteStore, id: string): Promise<void> {
  await using connection = await store.connect();
  const files = [...new Set((await connection.list(id)).map(({ file }) => file))];
  const others = files.filter((file) => file !== manifestName);
  await connection.remove(id, [...(files.length > others.length ? [manifestName] : []), ...others]);
}
