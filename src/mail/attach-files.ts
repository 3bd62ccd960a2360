import { basename, resolve } from 'node:path';
import { attachmentAllowance } from './attachment-allowance.ts';
import type { MailAttachment } from './mail-attachment.ts';
import { readAttachedFile } from './read-attached-file.ts';

export interface AttachFilesOptions {
  paths: readonly string[];
  /** What they are relative to. */
  cwd: string;
  signal: AbortSignal;
}

/**
 * Files that a person names on the command line, as attachments that carry their bytes: whatever that person may read,
 * as it is now, wherever and whenever the message is sent.
 *
 * @throws TendError INPUT_MISSING for what cannot be read, MAIL_MESSAGE_INVALID for what is too big.
 */
export async function attachFiles({ paths, cwd, signal }: AttachFilesOptions): Promise<MailAttachment[]> {
  const allowance = attachmentAllowance();
  const attached: MailAttachment[] = [];
  for (const path of paths) {
    const content = await readAttachedFile({ file: resolve(cwd, path), name: path, allowance, signal });
    attached.push({ filename: basename(path), content: content.toString('base64') });
  }
  return attached;
}
