import { open } from 'node:fs/promises';

/**
 * Brings a file to the disk, or the entries of a directory: what was renamed or created in it is there after a power cut,
 * too.
 */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
