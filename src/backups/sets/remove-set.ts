import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncPath } from '../../sync-path.ts';

/** What a set is called that is being removed. */
export const removingSuffix = '.removing';

/**
 * Removes a set of a directory. It loses its name first: a set that is half removed is none, whatever ends this.
 * What is left then goes with the next backup.
 */
export async function removeSet(directory: string, id: string): Promise<void> {
  const path = join(directory, id);
  const going = path + removingSuffix;
  await rename(path, going);
  await syncPath(directory);
  await rm(going, { recursive: true });
}
