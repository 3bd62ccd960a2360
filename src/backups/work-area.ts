import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TendError } from '../errors.ts';
import type { Log } from '../log.ts';
import { lockBackups } from './backup-lock.ts';
import { unwritable } from './unwritable.ts';

const prefix = '.tend-unpacked-';

/** A directory for one restore, which nobody else can read; it is removed when this is disposed of. */
export interface WorkArea extends AsyncDisposable {
  path: string;
}

/**
 * Makes a work area in `parent`, and removes those whose restore was killed: the lock in each says whether its maker
 * is alive.
 *
 * @throws TendError OUTPUT_UNWRITABLE.
 */
export async function makeWorkArea(options: { parent: string; log: Log }): Promise<WorkArea> {
  const { parent, log } = options;
  await sweepWorkAreas(parent, log);
  const path = await mkdtemp(join(parent, prefix)).catch((error: unknown) => {
    throw unwritable(parent, error);
  });
  const lock = await lockBackups(path);
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true });
      lock[Symbol.dispose]();
    },
  };
}

async function sweepWorkAreas(parent: string, log: Log): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((name) => name.startsWith(prefix))) {
    const path = join(parent, name);
    if (!(await isAbandoned(path))) continue;
    log.warn(`Removing "${path}": the restore that unpacked into it did not come to its end.`);
    await rm(path, { recursive: true, force: true });
  }
}

/** In a place that everybody uses, such as /tmp, what belongs to others is not even looked into. */
async function isAbandoned(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isDirectory() || found.uid !== process.getuid?.()) return false;
  try {
    using _lock = await lockBackups(path);
    return true;
  } catch (error) {
    if (error instanceof TendError) return false;
    throw error;
  }
}
