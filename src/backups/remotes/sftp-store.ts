import { accountName } from '../../account-name.ts';
import type { SftpRemote } from '../../config/backup-remotes.ts';
import type { SecretRegistry } from '../../redact.ts';
import type { RemotePlace } from './remote-errors.ts';
import type { RemoteConnection, RemoteStore } from './remote-store.ts';
import { translateSftpError } from './sftp-errors.ts';
import { listSftpFiles, listSftpStrangers } from './sftp-list.ts';
import { readSftpFile } from './sftp-read.ts';
import { removeSftpFiles } from './sftp-remove.ts';
import { openSftpSession, type SftpSession } from './sftp-session.ts';
import { putSftpFile } from './sftp-upload.ts';

export interface SftpStoreOptions {
  name: string;
  settings: SftpRemote;
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  retryDelaysMs: readonly number[];
  signal: AbortSignal;
}

/** What every operation on a directory there needs. */
export interface SftpWork {
  session: SftpSession;
  place: RemotePlace;
  /** Of the sets, as the server understands it. */
  path: string;
  verifyUpload: 'read' | 'size';
}

/** A remote of type `sftp`: `<path>/<set>/<file>` on a server. */
export function sftpStore(options: SftpStoreOptions): RemoteStore {
  const { name, settings, retryDelaysMs } = options;
  const { host, port, path } = settings;
  const user = settings.user ?? accountName();
  const at = `${user === undefined ? '' : `${user}@`}${port === 22 ? host : `${host}:${port}`}`;
  const place = { name, address: `sftp://${at}/${path.replace(/^\//, '')}` };
  return {
    ...place,
    retryDelaysMs,
    verifyUpload: settings.verify_upload,
    signal: options.signal,
    async connect(signal = options.signal) {
      const session = await openSftpSession({ ...options, user, place, signal });
      return connection({ session, place, path, verifyUpload: settings.verify_upload }, signal);
    },
  };
}

function connection(work: SftpWork, signal: AbortSignal): RemoteConnection {
  const { place, session } = work;
  const translated = async <T>(action: string, act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (error) {
      signal.throwIfAborted();
      throw translateSftpError(place, action, error);
    }
  };
  return {
    list: async (id) => await translated('listing', async () => await listSftpFiles(work, id)),
    listStrangers: async () => await translated('listing', async () => await listSftpStrangers(work)),
    async *read(where) {
      try {
        yield* readSftpFile(work, where);
      } catch (error) {
        signal.throwIfAborted();
        throw translateSftpError(place, `reading "${where.id}/${where.file}"`, error);
      }
    },
    put: async (upload) =>
      await translated(`storing "${upload.id}/${upload.file}"`, async () => await putSftpFile(work, upload)),
    remove: async (id, files) =>
      await translated(`removing "${id}"`, async () => await removeSftpFiles(work, id, files)),
    [Symbol.asyncDispose]: async () => await session[Symbol.asyncDispose](),
  };
}
