import { open } from 'node:fs/promises';

/** Brings the entries of a directory to the disk: what was renamed or created in it is there after a power cut, too. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
