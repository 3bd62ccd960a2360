import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { toError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { damagedPart } from '../parts/read-part.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import { readRemoteFile } from './read-remote-file.ts';
import { remoteError } from './remote-errors.ts';
import type { RemoteStore, Upload } from './remote-store.ts';
import { withRetries } from './with-retries.ts';

export interface UploadSetOptions {
  /** A set that lies here. */
  set: BackupSet;
  store: RemoteStore;
  log: Log;
  /** Told what is being done. */
  report: (detail: string) => void;
}

type SetFile = Pick<Upload, 'file' | 'bytes' | 'sha256'>;

/**
 * Copies a set to a remote: every part, each read back and compared, then the manifest. Until the manifest is there it is
 * no set, and the next upload of the same set goes on where this one ended.
 *
 * @returns how many bytes had to be sent.
 * @throws TendError REMOTE_….
 */
export async function uploadSet(options: UploadSetOptions): Promise<number> {
  const { set } = options;
  let sent = 0;
  for (const part of set.manifest.parts) sent += await uploadFile(options, part);
  return sent + (await uploadFile(options, await manifestFile(set)));
}

async function manifestFile(set: BackupSet): Promise<SetFile> {
  const file = 'manifest.json';
  const path = join(set.path, file);
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  return { file, bytes: (await stat(path)).size, sha256 };
}

/** What is not the same when it is read back was kept from before, or spoilt on its way: it is sent once more, whole. */
async function uploadFile(options: UploadSetOptions, part: SetFile): Promise<number> {
  const { store, set } = options;
  await requireSize(set, part);
  const sent = await put(options, part, 'keep');
  if (await isStored(options, part)) return sent;
  await requireHash(set, part);
  options.log.warn(
    `Remote "${store.name}": "${set.id}/${part.file}" is not what was sent: sending it again.`,
  );
  const again = await put(options, part, 'replace');
  if (await isStored(options, part)) return sent + again;
  throw remoteError(
    'REMOTE_FAILED',
    store,
    `"${set.id}/${part.file}" is not what was sent when it is read back`,
  );
}

/** A set that is damaged here is not copied. */
async function requireSize(set: BackupSet, { file, bytes }: SetFile): Promise<void> {
  const size = await set.files.size(file).catch((error: unknown) => {
    throw damagedPart(set.id, `"${file}" cannot be read: ${toError(error).message}`, error);
  });
  if (size !== bytes) throw damagedPart(set.id, `"${file}" has ${size} bytes, not ${bytes}`);
}

/** Only looked at where what was stored differs: it may be this side that is wrong. */
async function requireHash(set: BackupSet, { file, sha256 }: SetFile): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of await set.files.open(file)) hash.update(chunk as Buffer); // a stream of bytes
  const found = hash.digest('hex');
  if (found !== sha256) throw damagedPart(set.id, `"${file}" has the SHA-256 ${found}, not ${sha256}`);
}

async function put(
  options: UploadSetOptions,
  { file, bytes, sha256 }: SetFile,
  existing: Upload['existing'],
): Promise<number> {
  const { set, store, report } = options;
  return await withRetries(options, async () => {
    await using connection = await store.connect();
    const source = join(set.path, file);
    const onProgress = (at: number) => report(`${file} ${percent(at, bytes)}`);
    return await connection.put({ id: set.id, file, source, bytes, sha256, existing, report: onProgress });
  });
}

async function isStored({ store, set, report }: UploadSetOptions, part: SetFile): Promise<boolean> {
  const { file, bytes, sha256 } = part;
  if (store.verifyUpload === 'size') return await hasSize(store, set.id, part);
  const hash = createHash('sha256');
  let read = 0;
  for await (const chunk of readRemoteFile(store, { id: set.id, file, bytes })) {
    const data = chunk as Buffer; // a stream of bytes
    hash.update(data);
    read += data.length;
    report(`${file} read back ${percent(read, bytes)}`);
  }
  return read === bytes && hash.digest('hex') === sha256;
}

async function hasSize(store: RemoteStore, id: string, { file, bytes }: SetFile): Promise<boolean> {
  await using connection = await store.connect();
  const found = (await connection.list(id)).find((each) => each.file === file && each.state === 'whole');
  return found?.bytes === bytes;
}

function percent(at: number, bytes: number): string {
  return `${bytes === 0 ? 100 : Math.floor((100 * at) / bytes)} %`;
}
