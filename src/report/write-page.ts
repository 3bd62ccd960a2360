import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { TendError, toError } from '../errors.ts';

/**
 * Writes the page under its name at once and whole, readable for a web server (0644): whoever reads it meanwhile has the old one,
 * whole as well. Throws OUTPUT_UNWRITABLE, and leaves nothing beside it.
 */
export async function writePage({ path, page }: { path: string; page: string }): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomUUID()}`);
  try {
    await fill(temporary, page);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new TendError('OUTPUT_UNWRITABLE', `"${path}" cannot be written: ${toError(error).message}`, {
      cause: error,
      hint: `Look at the space and the rights there: ls -ld ${dirname(path)}`,
    });
  }
}

async function fill(path: string, page: string): Promise<void> {
  const handle = await open(path, 'wx', 0o644);
  try {
    await handle.writeFile(page);
    await handle.chmod(0o644); // whatever the umask
    await handle.sync();
  } finally {
    await handle.close();
  }
}
