import type { S3Client } from '@aws-sdk/client-s3';
import type { S3Remote } from '../../config/backup-remotes.ts';
import { TendError } from '../../errors.ts';
import type { SecretRegistry } from '../../redact.ts';
import type { RemoteConnection, RemoteStore } from './remote-store.ts';
import { openS3Client } from './s3-client.ts';
import { translateS3Error } from './s3-errors.ts';
import { listS3Files, listS3Strangers } from './s3-list.ts';
import { type S3Place, s3Place } from './s3-place.ts';
import { readS3File } from './s3-read.ts';
import { removeS3Files } from './s3-remove.ts';
import { putS3File } from './s3-upload.ts';

export interface S3StoreOptions {
  name: string;
  settings: S3Remote;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  retryDelaysMs: readonly number[];
  signal: AbortSignal;
}

/** What every operation on a bucket needs. */
export interface S3Work {
  client: S3Client;
  place: S3Place;
  signal: AbortSignal;
}

/** A remote of type `s3`: `<prefix>/<set>/<file>` in a bucket. */
export function s3Store(options: S3StoreOptions): RemoteStore {
  const { name, settings, retryDelaysMs } = options;
  const place = s3Place(name, settings);
  let client: Promise<S3Client> | undefined;
  return {
    name,
    address: place.address,
    retryDelaysMs,
    verifyUpload: settings.verify_upload,
    signal: options.signal,
    async connect(signal = options.signal) {
      client ??= openS3Client(options);
      const opened = await client.catch((error: unknown) => {
        throw error instanceof TendError ? error : translateS3Error(place, 'finding the credentials', error);
      });
      return connection({ client: opened, place, signal });
    },
  };
}

/** Requests are independent of each other, and idle sockets keep no process alive: there is nothing to close. */
function connection(work: S3Work): RemoteConnection {
  const { place, signal } = work;
  const translated = async <T>(action: string, act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (error) {
      signal.throwIfAborted();
      throw translateS3Error(place, action, error);
    }
  };
  return {
    list: async (id) => await translated('listing', async () => await listS3Files(work, id)),
    listStrangers: async () => await translated('listing', async () => await listS3Strangers(work)),
    async *read(where) {
      try {
        yield* await readS3File(work, where);
      } catch (error) {
        signal.throwIfAborted();
        throw translateS3Error(place, `reading "${where.id}/${where.file}"`, error);
      }
    },
    put: async (upload) =>
      await translated(`storing "${upload.id}/${upload.file}"`, async () => await putS3File(work, upload)),
    remove: async (id, files) =>
      await translated(`removing "${id}"`, async () => await removeS3Files(work, id, files)),
    [Symbol.asyncDispose]: async () => await Promise.resolve(),
  };
}
