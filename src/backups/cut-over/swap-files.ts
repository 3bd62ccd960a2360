import { lstat, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TendError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { syncPath } from '../../sync-path.ts';
import type { Reversible } from './swap-databases.ts';

/** A file or directory that changes places with another; all three in one directory, so that a rename is enough. */
export interface FileSwap {
  /** What the application reads: `/srv/cms/media`. It may be missing. */
  live: string;
  /** What takes its place: `/srv/cms/.media.tend_20261122_023000_7f3a`. */
  fresh: string;
  /** What the present one is called afterwards: `/srv/cms/media.before_20261122_023000_7f3a`. */
  keptAs: string;
}

/**
 * Puts each `fresh` in the place of its `live`, which is kept. Two renames, since Node has no exchange of both: what
 * is there says how far a process came that was killed in between, so doing it again finishes it, and
 * `swapFilesBack` takes it back from anywhere. What a running application has made anew in the gap is set aside.
 *
 * @throws TendError INPUT_MISSING where there is nothing to put in place.
 */
export async function swapFiles(swaps: readonly FileSwap[], log: Log): Promise<void> {
  for (const { live, fresh, keptAs } of swaps) {
    if (!(await isThere(fresh))) {
      if (await isThere(live)) continue; // done before
      throw new TendError('INPUT_MISSING', `"${live}" cannot be replaced: there is no "${fresh}".`);
    }
    const isLiveThere = await isThere(live);
    if (await isThere(keptAs)) {
      if (isLiveThere) await setAside(live, keptAs, log);
    } else if (isLiveThere) await move(live, keptAs);
    else await noteMissing(keptAs);
    await move(fresh, live);
  }
}

/** Puts everything back as it was before `swapFiles`, in the opposite order; harmless where that was done already. */
export async function swapFilesBack(swaps: readonly FileSwap[], log: Log): Promise<void> {
  for (const { live, fresh, keptAs } of swaps.toReversed()) {
    const isSwapped = (await isThere(keptAs)) || (await isThere(noneKept(keptAs)));
    if (!isSwapped) continue; // it never was, or is not any more
    if (!(await isThere(fresh)) && (await isThere(live))) await move(live, fresh);
    if (await isThere(keptAs)) {
      if (await isThere(live)) await setAside(live, keptAs, log);
      await move(keptAs, live);
    }
    await rm(noneKept(keptAs), { force: true });
  }
}

/** Both directions, for a change of names that they go with. */
export function fileSwap(swaps: readonly FileSwap[], log: Log): Reversible {
  return {
    apply: async () => await swapFiles(swaps, log),
    undo: async () => await swapFilesBack(swaps, log),
  };
}

/** Removes what was replaced for good: there is no way back any more. */
export async function dropKeptFiles(swaps: readonly FileSwap[]): Promise<void> {
  for (const { keptAs } of swaps) {
    for (const path of [keptAs, noneKept(keptAs)]) await rm(path, { recursive: true, force: true });
  }
}

/** Says that there was nothing to keep: without it, files that were never replaced look the same. */
function noneKept(keptAs: string): string {
  return `${keptAs}.none`;
}

async function noteMissing(keptAs: string): Promise<void> {
  await writeFile(noneKept(keptAs), '', { mode: 0o600 });
  await syncPath(dirname(keptAs));
}

/** The present one was kept before: what has taken its place since is none that anybody knows. */
async function setAside(live: string, keptAs: string, log: Log): Promise<void> {
  let to = `${keptAs}.meanwhile`;
  for (let number = 2; await isThere(to); number += 1) to = `${keptAs}.meanwhile${number}`;
  log.warn(`"${live}" was made anew meanwhile; that is kept as "${to}".`);
  await move(live, to);
}

async function move(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncPath(dirname(to));
}

/** A symbolic link is there whatever it leads to: the link itself is what changes places. */
async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return false;
    throw error;
  }
}
