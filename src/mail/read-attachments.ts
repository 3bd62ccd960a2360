import { basename } from 'node:path';
import { TendError } from '../errors.ts';
import { type AttachmentAllowance, attachmentAllowance } from './attachment-allowance.ts';
import { lineProblem } from './check-headers.ts';
import type { MailAttachment } from './mail-message.ts';
import { readPermittedFile } from './read-permitted-file.ts';

export interface ReadAttachment {
  filename: string;
  contentType?: string;
  content: Buffer;
}

export interface ReadAttachmentsOptions {
  attachments: readonly MailAttachment[];
  /** What relative paths are relative to. */
  baseDirectory: string;
  /** `[mail] attachments_from`, absolute: only files inside these directories are read. */
  attachmentsFrom: readonly string[];
  signal: AbortSignal;
}

/**
 * The attachments of a message with their bytes, read once, when it is composed: later attempts send them as they were
 * then.
 *
 * @throws TendError MAIL_MESSAGE_INVALID (permanent) for what is too big, ill-named or not permitted, INPUT_MISSING
 * (permanent) for a permitted file that cannot be read.
 */
export async function readAttachments(options: ReadAttachmentsOptions): Promise<ReadAttachment[]> {
  const allowance = attachmentAllowance();
  const read: ReadAttachment[] = [];
  for (const attachment of options.attachments) {
    const filename = checkName(nameOf(attachment));
    const { contentType } = attachment;
    const content = await contentOf(attachment, options, allowance);
    read.push({ filename, content, ...(contentType === undefined ? {} : { contentType }) });
  }
  return read;
}

function nameOf(attachment: MailAttachment): string {
  return 'path' in attachment ? (attachment.filename ?? basename(attachment.path)) : attachment.filename;
}

function checkName(filename: string): string {
  const problem = lineProblem(filename) ?? (/[/\\]/.test(filename) ? 'contains a slash' : undefined);
  if (problem === undefined) return filename;
  throw new TendError(
    'MAIL_MESSAGE_INVALID',
    `The attachment name ${JSON.stringify(filename.slice(0, 200))} ${problem}.`,
    { isPermanent: true },
  );
}

async function contentOf(
  attachment: MailAttachment,
  options: ReadAttachmentsOptions,
  allowance: AttachmentAllowance,
): Promise<Buffer> {
  if ('path' in attachment) return await readPermittedFile({ ...options, path: attachment.path, allowance });
  const content = Buffer.from(attachment.content, 'base64');
  allowance.take(content.length, attachment.filename);
  return content;
}
