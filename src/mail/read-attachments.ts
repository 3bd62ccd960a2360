import { readFile, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { TendError } from '../errors.ts';
import { lineProblem } from './check-headers.ts';
import type { MailAttachment } from './mail-message.ts';

/** All attachments of one message together: composed messages are kept in memory and in the database. */
const maxAttachmentBytes = 50 * 1024 * 1024;

export interface ReadAttachment {
  filename: string;
  contentType?: string;
  content: Buffer;
}

export interface ReadAttachmentsOptions {
  attachments: readonly MailAttachment[];
  baseDirectory: string;
  signal: AbortSignal;
}

/**
 * Reads the files of a message, once, when it is composed: later attempts send the bytes as they were then.
 *
 * @throws TendError INPUT_MISSING (permanent) for what cannot be read, MAIL_MESSAGE_INVALID for what is too big.
 */
export async function readAttachments(options: ReadAttachmentsOptions): Promise<ReadAttachment[]> {
  const read: ReadAttachment[] = [];
  let bytes = 0;
  for (const { path, filename = basename(path), contentType } of options.attachments) {
    const problem = lineProblem(filename) ?? (/[/\\]/.test(filename) ? 'contains a slash' : undefined);
    if (problem !== undefined) {
      throw new TendError('MAIL_MESSAGE_INVALID', `The attachment name "${basename(filename)}" ${problem}.`, {
        isPermanent: true,
      });
    }
    const file = resolve(options.baseDirectory, path);
    bytes += await sizeOf(file);
    if (bytes > maxAttachmentBytes) {
      const limit = `${maxAttachmentBytes / 1024 / 1024} MiB`;
      throw new TendError(
        'MAIL_MESSAGE_INVALID',
        `The attachments are larger than ${limit} together (at "${path}").`,
        {
          isPermanent: true,
        },
      );
    }
    const content = await readFile(file, { signal: options.signal });
    read.push({ filename, content, ...(contentType === undefined ? {} : { contentType }) });
  }
  return read;
}

async function sizeOf(file: string): Promise<number> {
  let reason = 'it is not a regular file';
  try {
    const found = await stat(file);
    if (found.isFile()) return found.size;
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  throw new TendError('INPUT_MISSING', `The attachment "${file}" cannot be read: ${reason}.`, {
    isPermanent: true,
  });
}
