import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { TendError } from '../../errors.ts';
import type { AttachmentAllowance } from './attachment-allowance.ts';

export interface ReadAttachedFileOptions {
  /** Absolute. */
  file: string;
  /** The file as it was named, for messages. */
  name: string;
  allowance: AttachmentAllowance;
  signal: AbortSignal;
  /** Asked before anything is read, about the file that is open. What it throws goes to the caller. */
  check?: (handle: FileHandle) => Promise<void>;
}

/**
 * Reads a regular file as long as it was when opened: more may be written to it meanwhile. A pipe or a device is not
 * waited for, and never read.
 *
 * @throws TendError INPUT_MISSING (permanent) for what cannot be read, MAIL_MESSAGE_INVALID for what is too big.
 */
export async function readAttachedFile(options: ReadAttachedFileOptions): Promise<Buffer> {
  try {
    await using handle = await open(options.file, constants.O_RDONLY | constants.O_NONBLOCK);
    await options.check?.(handle);
    return await readOpenFile(handle, options);
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof TendError) throw error;
    throw unreadable(options.name, error instanceof Error ? error.message : String(error), error);
  }
}

async function readOpenFile(
  handle: FileHandle,
  { name, allowance, signal }: ReadAttachedFileOptions,
): Promise<Buffer> {
  const found = await handle.stat();
  if (!found.isFile()) throw unreadable(name, 'it is not a regular file');
  allowance.take(found.size, name);
  const content = Buffer.alloc(found.size);
  let filled = 0;
  while (filled < content.length) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(
      content,
      filled,
      Math.min(content.length - filled, 1 << 20),
      filled,
    );
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  // The files of /proc say that they are empty, and are not.
  if (found.size === 0 && (await handle.read(Buffer.alloc(1), 0, 1, 0)).bytesRead > 0) {
    throw unreadable(name, 'its size is not known');
  }
  return content.subarray(0, filled);
}

function unreadable(name: string, reason: string, cause?: unknown): TendError {
  return new TendError('INPUT_MISSING', `The attachment ${JSON.stringify(name)} cannot be read: ${reason}.`, {
    cause,
    isPermanent: true,
  });
}
