import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TendError } from '../../errors.ts';
import { makeDirectory } from '../../make-directory.ts';

export interface WriteEmlOptions {
  raw: Buffer;
  /** Where the message is to stand under its final name. */
  file: string;
}

/**
 * Writes the exact bytes of a message to a file that appears whole or not at all; only its owner may read it. Writing
 * the same message again replaces the same file, so no attempt leaves a copy.
 *
 * @throws TendError OUTPUT_UNWRITABLE.
 */
export async function writeEml({ raw, file }: WriteEmlOptions): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await using handle = await open(temporary, 'w', 0o600);
    await handle.writeFile(raw);
    await handle.sync();
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TendError('OUTPUT_UNWRITABLE', `The message "${file}" cannot be written: ${reason}`, { cause });
  }
}

export interface WriteEmlIntoOptions {
  directory: string;
  messageId: string;
  raw: Buffer;
}

/** Writes a message into a directory (created where missing) under a name made from its Message-ID; returns the path. */
export async function writeEmlInto({ directory, messageId, raw }: WriteEmlIntoOptions): Promise<string> {
  try {
    await makeDirectory(directory);
  } catch (cause) {
    throw new TendError('OUTPUT_UNWRITABLE', `The directory "${directory}" for messages cannot be made.`, {
      cause,
    });
  }
  const file = join(
    directory,
    `${messageId
      .replace(/^<|>$/g, '')
      .replace(/[^\w.@-]+/g, '_')
      .slice(0, 200)}.eml`,
  );
  await writeEml({ raw, file });
  return file;
}
