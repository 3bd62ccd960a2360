import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { TendError } from '../../errors.ts';

/** What a message may have: more no mail server takes, and memory and the database have to hold it. */
const mostBytes = 100 * 1024 * 1024;

/**
 * A whole message from standard input.
 *
 * @throws TendError MAIL_MESSAGE_INVALID where it is larger than 100 MiB; INPUT_INVALID where it cannot be read.
 */
export async function readInput(stdin: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stdin) {
      const part = Buffer.from(chunk);
      bytes += part.length;
      if (bytes > mostBytes) break;
      chunks.push(part);
    }
  } catch (cause) {
    throw new TendError('INPUT_INVALID', 'The message cannot be read from standard input.', { cause });
  }
  if (bytes <= mostBytes) return Buffer.concat(chunks);
  throw new TendError('MAIL_MESSAGE_INVALID', 'The message is larger than 100 MiB.', { isPermanent: true });
}

export interface ReadMessageOptions {
  /** `-`: standard input. Relative to `cwd`. */
  file: string;
  cwd: string;
  stdin: Readable;
}

/**
 * A whole message from a file or standard input.
 *
 * @throws TendError INPUT_MISSING; as `readInput`.
 */
export async function readMessage({ file, cwd, stdin }: ReadMessageOptions): Promise<Buffer> {
  if (file === '-') return await readInput(stdin);
  try {
    return await readInput(createReadStream(resolve(cwd, file)));
  } catch (cause) {
    if (!(cause instanceof TendError) || cause.code !== 'INPUT_INVALID') throw cause;
    throw new TendError('INPUT_MISSING', `The message "${file}" cannot be read.`, { cause: cause.cause });
  }
}
