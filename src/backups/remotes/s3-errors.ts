import { TendError, toError } from '../../errors.ts';
import { isFileSystemError } from '../parts/unwritable.ts';
import { type RemotePlace, remoteError } from './remote-errors.ts';

const badCredentials = new Set([
  'AuthFailure',
  'CredentialsProviderError',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidToken',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
]);
const full = new Set(['QuotaExceeded', 'InsufficientStorage', 'XMinioStorageFull', 'StorageFull']);
const badRegion = new Set([
  'AuthorizationHeaderMalformed',
  'PermanentRedirect',
  'IllegalLocationConstraintException',
]);
const passing = new Set([
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'RequestTimeout',
  'TimeoutError',
  'InternalError',
  'ServiceUnavailable',
  'OperationAborted',
]);

/** What the AWS SDK throws, and has besides. */
interface S3Failure extends Error {
  code?: string;
  $metadata?: { httpStatusCode?: number };
}

/** Says in tend's words what the server, or the way to it, did not do. */
export function translateS3Error(place: RemotePlace, action: string, thrown: unknown): Error {
  if (thrown instanceof TendError || isFileSystemError(thrown)) return toError(thrown);
  const error: S3Failure = toError(thrown);
  const { name } = error;
  const cause = error;
  const said = wordsOf(error);
  const status = error.$metadata?.httpStatusCode ?? 0;
  if (name === 'NoSuchBucket') {
    return remoteError('REMOTE_MISSING', place, 'there is no such bucket', {
      cause,
      hint: `Create it, or correct [backup.remotes.${place.name}] bucket`,
    });
  }
  if (badCredentials.has(name) || status === 401) {
    return remoteError('REMOTE_PERMISSION', place, `the credentials are not accepted: ${said}`, {
      cause,
      hint: 'Look at access_key_id and secret_access_key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where tend runs',
    });
  }
  if (badRegion.has(name) || status === 301 || error.message === 'Region is missing') {
    return remoteError('REMOTE_MISCONFIGURED', place, `the region does not fit: ${said}`, {
      cause,
      hint: `Set [backup.remotes.${place.name}] region`,
    });
  }
  if (full.has(name) || status === 507) {
    return remoteError('REMOTE_FULL', place, `there is no room: ${said}`, { cause });
  }
  if (status === 403) {
    return remoteError('REMOTE_PERMISSION', place, `${action} is not permitted: ${said}`, {
      cause,
      hint: 'The rights it takes stand in docs/operations.md, "Remote copies"',
    });
  }
  if (passing.has(name) || status >= 500 || status === 429 || error.code !== undefined) {
    return remoteError('REMOTE_UNREACHABLE', place, `${action} failed: ${said}`, { cause });
  }
  return remoteError('REMOTE_FAILED', place, `${action} failed: ${said}`, { cause });
}

/** Errors of the network have a code and, where several addresses were tried, no message. */
function wordsOf({ name, message, code }: S3Failure): string {
  const label = code ?? name;
  if (message === '' || message === label) return label;
  return message.includes(label) || label === 'Error' ? message : `${message} (${label})`;
}

/** A server that has never heard of an operation, or does not let this key use it. */
export function isUnavailable(thrown: unknown): boolean {
  const error: S3Failure = toError(thrown);
  return [403, 404, 405, 501].includes(error.$metadata?.httpStatusCode ?? 0);
}
