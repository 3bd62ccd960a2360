import { type ErrorCode, TendError, type TendErrorOptions } from '../../errors.ts';

type RemoteErrorCode = Extract<ErrorCode, `REMOTE_${string}`>;

/** The parts of a remote that its errors name. */
export interface RemotePlace {
  name: string;
  address: string;
}

/** `Remote "offsite" (s3://bucket/prefix): why`. All but REMOTE_UNREACHABLE stay as they are until somebody acts. */
export function remoteError(
  code: RemoteErrorCode,
  { name, address }: RemotePlace,
  why: string,
  options: TendErrorOptions = {},
): TendError {
  return new TendError(code, `Remote "${name}" (${address}): ${why.replace(/\.$/, '')}.`, {
    isPermanent: code !== 'REMOTE_UNREACHABLE' && code !== 'REMOTE_FAILED' && code !== 'REMOTE_FULL',
    ...options,
  });
}

/** True for what says nothing about the set that was being read, only about the way to it. */
export function isRemoteError(error: unknown): error is TendError {
  return error instanceof TendError && error.code.startsWith('REMOTE_');
}
