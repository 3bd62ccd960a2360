import { TendError, toError } from '../../errors.ts';
import { isFileSystemError } from '../parts/unwritable.ts';
import { type RemotePlace, remoteError } from './remote-errors.ts';

/** What ssh2 throws: a number for what the SFTP server answered, a text for the network, a level for the rest. */
interface SftpFailure extends Error {
  code?: number | string;
  level?: string;
}

/** Status codes of SFTP version 3. */
export const sftpStatus = { noSuchFile: 2, permissionDenied: 3, failure: 4, unsupported: 8 } as const;

/** Whether the server answered with this status. */
export function hasStatus(thrown: unknown, status: keyof typeof sftpStatus): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === sftpStatus[status];
}

/** Says in tend's words what the server, or the way to it, did not do. */
export function translateSftpError(place: RemotePlace, action: string, thrown: unknown): Error {
  if (thrown instanceof TendError || isFileSystemError(thrown)) return toError(thrown);
  const error: SftpFailure = toError(thrown);
  const { message, code, level } = error;
  const options = { cause: error };
  if (level === 'client-authentication') {
    return remoteError('REMOTE_PERMISSION', place, `the server does not let this user in: ${message}`, {
      ...options,
      hint: `Look at [backup.remotes.${place.name}] user and key, and at authorized_keys there`,
    });
  }
  if (code === sftpStatus.permissionDenied) {
    return remoteError('REMOTE_PERMISSION', place, `${action} is not permitted: ${message}`, options);
  }
  if (code === sftpStatus.noSuchFile) {
    return remoteError('REMOTE_FAILED', place, `${action} failed: it is not there (${message})`, options);
  }
  if (typeof code === 'number') {
    const why = code === sftpStatus.failure ? 'the server says no more than that; it may be full' : message;
    return remoteError('REMOTE_FAILED', place, `${action} failed: ${why}`, options);
  }
  return remoteError('REMOTE_UNREACHABLE', place, `${action} failed: ${message || String(code)}`, options);
}
