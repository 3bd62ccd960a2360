import { basename } from 'node:path';
import type { Kysely } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import { type AttachmentAllowance, attachmentAllowance } from './attachment-allowance.ts';
import { lineProblem } from './check-headers.ts';
import type { MailAttachment } from './mail-attachment.ts';
import { readLargeObject } from './read-large-object.ts';
import { readPermittedFile } from './read-permitted-file.ts';
import { readStoredAttachment } from './read-stored-attachment.ts';

export interface ReadAttachment {
  filename: string;
  contentType?: string;
  /** Part of the html, which shows it. */
  cid?: string;
  content: Buffer;
}

export interface ReadAttachmentsOptions {
  attachments: readonly MailAttachment[];
  /** What relative paths are relative to. */
  baseDirectory: string;
  /** `[mail] attachments_from`, absolute: only files inside these directories are read. */
  attachmentsFrom: readonly string[];
  mayAttachLargeObjects: boolean;
  /** Where those that are kept in the database are read; none where the message is sent without one. */
  db?: Kysely<Database> | undefined;
  signal: AbortSignal;
}

/**
 * The attachments of a message with their bytes, read once, when it is composed: later attempts send them as they were
 * then.
 *
 * @throws TendError MAIL_MESSAGE_INVALID (permanent) for what is too big, ill-named, not permitted or not there,
 * INPUT_MISSING (permanent) for a permitted file that cannot be read.
 */
export async function readAttachments(options: ReadAttachmentsOptions): Promise<ReadAttachment[]> {
  const allowance = attachmentAllowance();
  const read: ReadAttachment[] = [];
  for (const attachment of options.attachments) {
    const found = await readOne(attachment, options, allowance);
    const { cid, contentType = found.contentType } = attachment;
    read.push({
      filename: checkName(attachment.filename ?? found.filename),
      content: found.content,
      ...(contentType === undefined ? {} : { contentType }),
      ...(cid === undefined ? {} : { cid }),
    });
  }
  return read;
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

interface Found {
  /** Its own name, for where the message gives none. */
  filename: string;
  contentType?: string | undefined;
  content: Buffer;
}

async function readOne(
  attachment: MailAttachment,
  options: ReadAttachmentsOptions,
  allowance: AttachmentAllowance,
): Promise<Found> {
  const { signal, mayAttachLargeObjects } = options;
  if ('path' in attachment) {
    const { path } = attachment;
    return { filename: basename(path), content: await readPermittedFile({ ...options, path, allowance }) };
  }
  if ('content' in attachment) {
    const content = Buffer.from(attachment.content, 'base64');
    allowance.take(content.length, attachment.filename);
    return { filename: attachment.filename, content };
  }
  const db = requireDatabase(options.db);
  if ('attachment' in attachment) {
    return await readStoredAttachment({ db, id: attachment.attachment, allowance, signal });
  }
  const { largeObject: oid, filename } = attachment;
  const content = await readLargeObject({
    db,
    oid,
    filename,
    isPermitted: mayAttachLargeObjects,
    allowance,
    signal,
  });
  return { filename, content };
}

function requireDatabase(db: Kysely<Database> | undefined): Kysely<Database> {
  if (db !== undefined) return db;
  throw new TendError(
    'MAIL_MESSAGE_INVALID',
    'An attachment lies in the database, and none is in use here.',
    {
      isPermanent: true,
    },
  );
}
