import { randomUUID } from 'node:crypto';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { TendError, toError } from '../errors.ts';

/**
 * Writes the page under its name at once and whole, readable for a web server (0644): whoever reads it meanwhile has the old one,
 * whole as well. Throws OUTPUT_UNWRITABLE, and leaves nothing beside it;
 * what a killed writer left goes an hour later.
 */
export async function writePage({ path, page }: { path: string; page: string }): Promise<void> {
  const prefix = `.${basename(path).slice(0, 100)}.tend-`;
  const temporary = join(dirname(path), `${prefix}${randomUUID()}`);
  try {
    await fill(temporary, page);
    await sweep({ directory: dirname(path), prefix, before: (await stat(temporary)).mtimeMs - hourMs });
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

const hourMs = 3_600_000;

/** Removes what writers left that were killed: older, by the clock of the file system, than any that still writes. */
async function sweep(options: { directory: string; prefix: string; before: number }): Promise<void> {
  const { directory, prefix, before } = options;
  for (const name of await readdir(directory)) {
    if (!name.startsWith(prefix)) continue;
    const left = join(directory, name);
    const { mtimeMs } = await stat(left).catch(() => ({ mtimeMs: before })); // its writer has just renamed it
    if (mtimeMs < before) await rm(left, { force: true });
  }
}
