import { buffer } from 'node:stream/consumers';
import { TendError, toError } from '../../errors.ts';
import type { BackupSet, DamagedSet } from '../sets/backup-directory.ts';
import { isBackupId } from '../sets/backup-id.ts';
import { parseManifest } from '../sets/manifest.ts';
import { readRemoteFile } from './read-remote-file.ts';
import { isRemoteError } from './remote-errors.ts';
import type { RemoteFile, RemoteStore } from './remote-store.ts';

/** Remains of an upload, or an upload at work: a set without a manifest is none. */
export interface UnfinishedSet {
  id: string;
  path: string;
  files: string[];
  /** When something was last added to it. */
  modifiedAt: Date;
}

export interface RemoteListing {
  /** Newest first. */
  sets: BackupSet[];
  damaged: DamagedSet[];
  unfinished: UnfinishedSet[];
}

const manifestName = 'manifest.json';

/** Manifests that are read at once. */
const together = 4;

/** All sets of a remote, newest first. */
export async function listRemoteSets(store: RemoteStore): Promise<RemoteListing> {
  const { complete, unfinished } = await survey(store);
  const listing: RemoteListing = { sets: [], damaged: [], unfinished };
  for (let start = 0; start < complete.length; start += together) {
    const found = complete.slice(start, start + together).map(async ({ id, files }) => {
      try {
        return await readSet(store, id, files);
      } catch (error) {
        if (!(error instanceof TendError) || error.code !== 'BACKUP_DAMAGED') throw error;
        return { id, path: `${store.address}/${id}`, problem: error.message };
      }
    });
    for (const set of await Promise.all(found)) {
      if ('problem' in set) listing.damaged.push(set);
      else listing.sets.push(set);
    }
  }
  return listing;
}

/**
 * The set of a remote that `source` means: an id, or `latest`, which is the newest of the database of that name, and one
 * of another only where there is none of it. Its files are read from there.
 *
 * @throws TendError BACKUP_NOT_FOUND, BACKUP_DAMAGED, REMOTE_….
 */
export async function findRemoteSet(
  store: RemoteStore,
  source: string,
  database?: string,
): Promise<BackupSet> {
  if (source === 'latest') return await findNewest(store, database);
  const files = isBackupId(source) ? await filesOf(store, source) : [];
  if (isComplete(files)) return await readSet(store, source, files);
  throw notFound(store, `There is no backup set "${source}" in remote "${store.name}" (${store.address}).`);
}

async function findNewest(store: RemoteStore, database: string | undefined): Promise<BackupSet> {
  let newest: BackupSet | undefined;
  for (const { id, files } of (await survey(store)).complete) {
    const set = await readSet(store, id, files);
    if (database === undefined || set.manifest.database.name === database) return set;
    newest ??= set;
  }
  if (newest !== undefined) return newest;
  throw notFound(store, `Remote "${store.name}" (${store.address}) holds no backup set.`);
}

/** Which sets are there, without reading their manifests. */
export async function findRemoteIds(
  store: RemoteStore,
): Promise<{ complete: string[]; unfinished: UnfinishedSet[] }> {
  const { complete, unfinished } = await survey(store);
  return { complete: complete.map(({ id }) => id), unfinished };
}

interface FoundFiles {
  id: string;
  files: RemoteFile[];
}

async function survey(store: RemoteStore): Promise<{ complete: FoundFiles[]; unfinished: UnfinishedSet[] }> {
  await using connection = await store.connect();
  const byId = Map.groupBy(await connection.list(), ({ id }) => id);
  const found = [...byId].map(([id, files]) => ({ id, files })).sort((a, b) => (a.id < b.id ? 1 : -1));
  const unfinished = found
    .filter(({ files }) => !isComplete(files))
    .map(({ id, files }) => ({
      id,
      path: `${store.address}/${id}`,
      files: [...new Set(files.map(({ file }) => file))],
      modifiedAt: new Date(Math.max(...files.map(({ modifiedAt }) => modifiedAt.getTime()))),
    }));
  return { complete: found.filter(({ files }) => isComplete(files)), unfinished };
}

async function filesOf(store: RemoteStore, id: string): Promise<RemoteFile[]> {
  await using connection = await store.connect();
  return await connection.list(id);
}

/** The manifest is stored last. */
function isComplete(files: readonly RemoteFile[]): boolean {
  return files.some(({ file, state }) => file === manifestName && state === 'whole');
}

async function readSet(store: RemoteStore, id: string, found: readonly RemoteFile[]): Promise<BackupSet> {
  const path = `${store.address}/${id}`;
  const sizes = new Map(
    found.filter(({ state }) => state === 'whole').map(({ file, bytes }) => [file, bytes]),
  );
  const size = async (file: string) => {
    const bytes = sizes.get(file);
    if (bytes === undefined) throw new Error(`there is no file "${file}" in ${path}`);
    return await Promise.resolve(bytes);
  };
  const files = {
    size,
    open: async (file: string) => readRemoteFile(store, { id, file, bytes: await size(file) }),
  };
  const text = await readText(files.open(manifestName), path);
  const manifest = parseManifest(text, `${path}/${manifestName}`);
  if (manifest.id === id) return { id, path, manifest, files, remote: store.name };
  throw new TendError('BACKUP_DAMAGED', `The set "${path}" says it is "${manifest.id}".`, {
    isPermanent: true,
  });
}

async function readText(opening: Promise<NodeJS.ReadableStream>, path: string): Promise<string> {
  try {
    return (await buffer(await opening)).toString('utf8');
  } catch (error) {
    if (isRemoteError(error)) throw error;
    throw new TendError('BACKUP_DAMAGED', `"${path}" is no complete backup set: ${toError(error).message}`, {
      cause: error,
      isPermanent: true,
    });
  }
}

function notFound(store: RemoteStore, message: string): TendError {
  return new TendError('BACKUP_NOT_FOUND', message, {
    hint: `See what there is: tend backup list --remote ${store.name}`,
    isPermanent: true,
  });
}
