import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import type { AttachmentAllowance } from './attachment-allowance.ts';

export interface ReadStoredAttachmentOptions {
  db: Kysely<Database>;
  /** What `tend.attach` returned. */
  id: number;
  allowance: AttachmentAllowance;
  signal: AbortSignal;
}

export interface StoredAttachment {
  filename: string;
  contentType: string | undefined;
  content: Buffer;
}

/** Bytes come as hexadecimal text, twice as long: what is large is read a megabyte at a time. */
const chunkBytes = 1 << 20;

/**
 * Reads an attachment that `tend.attach` has stored, in one round trip where it is no larger than a megabyte.
 *
 * @throws TendError MAIL_MESSAGE_INVALID, permanent, where there is none with that id, or it is too big.
 */
export async function readStoredAttachment(options: ReadStoredAttachmentOptions): Promise<StoredAttachment> {
  const { db, id, allowance, signal } = options;
  const first = await db
    .selectFrom('tend.attachments')
    .select(['filename', 'content_type as contentType', chunkAt(1)])
    .select(sql<number>`octet_length(content)`.as('size'))
    .where('id', '=', id)
    .executeTakeFirst();
  if (first === undefined) {
    throw new TendError(
      'MAIL_MESSAGE_INVALID',
      `There is no attachment ${id} in the database: it has expired, or was never there.`,
      { isPermanent: true },
    );
  }
  const { filename, contentType, size, chunk } = first;
  allowance.take(size, filename);
  const chunks = [chunk];
  for (let have = chunk.length; have < size; have += chunkBytes) {
    signal.throwIfAborted();
    const next = await db
      .selectFrom('tend.attachments')
      .select(chunkAt(have + 1))
      .where('id', '=', id)
      .executeTakeFirst();
    if (next === undefined) break;
    chunks.push(next.chunk);
  }
  return { filename, contentType: contentType ?? undefined, content: Buffer.concat(chunks) };
}

function chunkAt(from: number) {
  return sql<Buffer>`substring(content from ${from}::integer for ${chunkBytes}::integer)`.as('chunk');
}
