import { accessSync, constants } from 'node:fs';

/**
 * Whether this process may put files into a directory; also true where it is not there yet. False for one of somebody
 * else, and on a file system that is mounted read-only.
 */
export function mayWriteIn(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
}
