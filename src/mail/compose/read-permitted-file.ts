import { type FileHandle, readlink, realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { TendError } from '../../errors.ts';
import type { AttachmentAllowance } from './attachment-allowance.ts';
import { readAttachedFile } from './read-attached-file.ts';

export interface ReadPermittedFileOptions {
  /** As the payload names it. */
  path: string;
  /** What a relative `path` is relative to. */
  baseDirectory: string;
  /** `[mail] attachments_from`, absolute. */
  attachmentsFrom: readonly string[];
  allowance: AttachmentAllowance;
  signal: AbortSignal;
}

/**
 * Reads a file that a payload names, where it really lies (after symbolic links) inside one of the permitted
 * directories: whoever may enqueue must not read what only the tick's user may. A path that leads nowhere is refused
 * in the same words as one that leads elsewhere, so that nobody can ask which files exist.
 *
 * @throws TendError MAIL_MESSAGE_INVALID where it is not permitted or cannot be opened; INPUT_MISSING where it is no regular
 * file. Both permanent.
 */
export async function readPermittedFile(options: ReadPermittedFileOptions): Promise<Buffer> {
  const { path, baseDirectory, attachmentsFrom, allowance, signal } = options;
  const directories = await realPaths(attachmentsFrom);
  const refuseOutside = (file: string | undefined): string => {
    if (file !== undefined && directories.some((directory) => liesInside(file, directory))) return file;
    throw refuse(path, attachmentsFrom.length === 0);
  };
  const file = refuseOutside(await realPath(resolve(baseDirectory, path)));
  let isPermitted = false;
  const check = async (handle: FileHandle): Promise<void> => {
    refuseOutside(await pathOfOpenFile(handle, file));
    isPermitted = true;
  };
  try {
    return await readAttachedFile({ file, name: path, allowance, signal, check });
  } catch (error) {
    signal.throwIfAborted();
    // Why it could not even be opened is told only about files that are known to lie inside.
    throw isPermitted ? error : refuse(path, false);
  }
}

/**
 * Where the open file lies: between the first look and the opening, a directory may have become a symbolic link. The
 * kernel's own answer cannot be raced; on systems without one (not Linux) a second look makes the gap small.
 */
async function pathOfOpenFile(handle: FileHandle, file: string): Promise<string | undefined> {
  try {
    return await readlink(`/proc/self/fd/${handle.fd}`);
  } catch {
    return await realPath(file);
  }
}

async function realPath(file: string): Promise<string | undefined> {
  try {
    return await realpath(file);
  } catch {
    return undefined;
  }
}

/** Of those that exist. */
async function realPaths(directories: readonly string[]): Promise<string[]> {
  const found = await Promise.all(directories.map(realPath));
  return found.filter((directory) => directory !== undefined);
}

function liesInside(file: string, directory: string): boolean {
  const way = relative(directory, file);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function refuse(path: string, isNonePermitted: boolean): TendError {
  const reason = isNonePermitted
    ? '[mail] attachments_from in tend.toml names no directory'
    : 'it is not a readable file inside a directory of [mail] attachments_from in tend.toml';
  return new TendError(
    'MAIL_MESSAGE_INVALID',
    `The attachment ${JSON.stringify(path.slice(0, 500))} was not read: ${reason}.`,
    {
      hint: 'Permit its directory in tend.toml: [mail] attachments_from = ["/srv/cms/media"], or enqueue its bytes: {"content": "<base64>", "filename": "…"}.',
      isPermanent: true,
    },
  );
}
