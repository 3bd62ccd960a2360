import { realpath } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { TendError, toError } from '../../errors.ts';

/** One of `[backup] files`, as it was found. */
export interface FileRoot {
  /** As configured, made absolute. */
  path: string;
  /** Where it really is: a configured path may be a symbolic link to another disk. */
  real: string;
  /** What it is called in the archive: the real path without its slash, which tells every root apart. */
  member: string;
}

/**
 * Finds what `[backup] files` names.
 *
 * @throws TendError INPUT_MISSING naming the path that is not there, CONFIG_INVALID where two overlap or one is `/`.
 */
export async function findFileRoots(options: {
  backup: Pick<Config['backup'], 'files'>;
  baseDirectory: string;
}): Promise<FileRoot[]> {
  const { backup, baseDirectory } = options;
  const roots: FileRoot[] = [];
  for (const path of configuredFiles({ backup, baseDirectory })) {
    const real = await realpath(path).catch((error: unknown) => {
      throw missing(path, error);
    });
    roots.push({ path, real, member: real.slice(1) });
  }
  for (const root of roots) refuseOverlap(root, roots);
  return roots;
}

/** `[backup] files` as absolute paths, each once. */
export function configuredFiles(options: {
  backup: Pick<Config['backup'], 'files'>;
  baseDirectory: string;
}): string[] {
  return [...new Set(options.backup.files.map((path) => resolve(options.baseDirectory, path)))];
}

/** Whether `path` is `directory` or lies in it; both are absolute. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === sep ? sep : directory + sep);
}

function refuseOverlap(root: FileRoot, roots: readonly FileRoot[]): void {
  if (root.real === sep) throw invalid('[backup] files names "/", which is more than can be put back');
  const outer = roots.find((other) => other !== root && isWithin(root.real, other.real));
  if (outer === undefined) return;
  throw invalid(`[backup] files names "${root.path}" beside "${outer.path}", which contains it`);
}

function invalid(what: string): TendError {
  return new TendError('CONFIG_INVALID', `No backup was made: ${what}.`, {
    hint: 'Name the directories of the application one by one, none inside another.',
    isPermanent: true,
  });
}

function missing(path: string, cause: unknown): TendError {
  const why = `"${path}" of [backup] files cannot be found: ${toError(cause).message}`;
  return new TendError('INPUT_MISSING', `No backup was made: ${why}.`, {
    cause,
    hint: 'Create it, or take it out of tend.toml; for the database alone: tend backup --no-files',
  });
}
