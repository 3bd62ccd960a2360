import { TendError, toError } from '../../errors.ts';

const codes = new Set([
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'EACCES',
  'EPERM',
  'EIO',
  'EFBIG',
  'ENOTDIR',
  'ENOENT',
  'EEXIST',
]);

/** The error of a file system that does not take what is written, with what it said. */
export function unwritable(path: string, cause: unknown): TendError {
  return new TendError('OUTPUT_UNWRITABLE', `"${path}" cannot be written: ${toError(cause).message}`, {
    cause,
    hint: `Look at the space and the rights there: df -h ${path}; ls -ld ${path}`,
  });
}

/** Looks through the causes of an error for one of the file system's. */
export function isFileSystemError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as NodeJS.ErrnoException; // both are optional there, and only read
  if (typeof code === 'string' && codes.has(code) && syscall !== undefined) return true;
  return isFileSystemError(error.cause);
}
