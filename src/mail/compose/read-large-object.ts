import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { errorCodeOf } from '../../database/translate-database-error.ts';
import { TendError } from '../../errors.ts';
import type { AttachmentAllowance } from './attachment-allowance.ts';

export interface ReadLargeObjectOptions {
  db: Kysely<Database>;
  oid: number;
  /** For messages. */
  filename: string;
  /** `[mail] large_objects`. */
  isPermitted: boolean;
  allowance: AttachmentAllowance;
  signal: AbortSignal;
}

const chunkBytes = 1 << 20;

/**
 * Reads a large object, a megabyte at a time, as far as the attachments of one message may go. Only where the configuration
 * permits it: whoever may enqueue could name any that tend's role may read.
 *
 * @throws TendError MAIL_MESSAGE_INVALID, permanent, where it is not permitted, not there, or too big.
 */
export async function readLargeObject(options: ReadLargeObjectOptions): Promise<Buffer> {
  const { db, oid, filename, isPermitted, allowance, signal } = options;
  if (!isPermitted) {
    throw refuse(
      oid,
      'tend.toml does not permit large objects',
      'Permit them: [mail] large_objects = true, or store the bytes with tend.attach.',
    );
  }
  const chunks: Buffer[] = [];
  for (let offset = 0; ; offset += chunkBytes) {
    signal.throwIfAborted();
    const chunk = await readChunk(db, oid, offset);
    allowance.take(chunk.length, filename);
    chunks.push(chunk);
    if (chunk.length < chunkBytes) return Buffer.concat(chunks);
  }
}

async function readChunk(db: Kysely<Database>, oid: number, offset: number): Promise<Buffer> {
  try {
    const { rows } = await sql<{ chunk: Buffer }>`
      select lo_get(${oid}::oid, ${offset}::bigint, ${chunkBytes}::integer) as chunk`.execute(db);
    return rows[0]?.chunk ?? Buffer.alloc(0);
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === '42704') throw refuse(oid, 'there is none');
    if (code === '42501')
      throw refuse(oid, 'the role of tend may not read it', `grant select on large object ${oid} to …`);
    throw error;
  }
}

function refuse(oid: number, reason: string, hint?: string): TendError {
  return new TendError('MAIL_MESSAGE_INVALID', `The large object ${oid} was not attached: ${reason}.`, {
    isPermanent: true,
    ...(hint === undefined ? {} : { hint }),
  });
}
