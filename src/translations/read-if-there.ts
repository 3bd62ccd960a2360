import type { Buffer } from 'node:buffer';
import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ReusableBuffer } from './reusable-buffer.ts';

/** Undefined where there is no such file, or it cannot be read. */
export function readIfThere(path: string, buffer: ReusableBuffer): Buffer | undefined {
  if (!existsSync(path)) return undefined; // that costs less than an error
  try {
    return buffer.read(path);
  } catch {
    return undefined;
  }
}

/** Real paths of folders: catalogs stand together, and each step on the way to one is a question to the system. */
const folders = new Map<string, string>();
const maxFolders = 10_000;

/** At the beginning of a run: a folder may have become another since the last. */
export function forgetFolders(): void {
  folders.clear();
}

/** Of an absolute path. Also of a link that leads nowhere: that is the path itself. */
export function realPathOf(path: string): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  if (isLink) return realPathOr(path);
  const folder = dirname(path);
  let real = folders.get(folder);
  if (real === undefined) {
    if (folders.size >= maxFolders) folders.clear();
    real = realPathOr(folder);
    folders.set(folder, real);
  }
  return real === folder ? path : join(real, basename(path));
}

function realPathOr(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}
