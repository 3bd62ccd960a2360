import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../log.ts';
import { unwritable } from '../parts/unwritable.ts';
import { lockBackups } from '../sets/backup-lock.ts';
import { findAbandonedWorkAreas, workAreaPrefix } from './find-abandoned-work-areas.ts';

/** A directory for one restore, which nobody else can read; it is removed when this is disposed of. */
export interface WorkArea extends AsyncDisposable {
  path: string;
}

/**
 * Makes a work area in `parent`; the lock in it says that its maker is alive.
 *
 * @throws TendError OUTPUT_UNWRITABLE.
 */
export async function makeWorkArea(parent: string): Promise<WorkArea> {
  const path = await mkdtemp(join(parent, workAreaPrefix)).catch((error: unknown) => {
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

/** Removes the work areas in `parent` whose restore was killed: a dump lies there in clear. */
export async function sweepWorkAreas(parent: string, log: Log): Promise<void> {
  for (const path of await findAbandonedWorkAreas(parent)) {
    log.warn(`Removing "${path}": the restore that unpacked into it did not come to its end.`);
    await rm(path, { recursive: true, force: true });
  }
}
