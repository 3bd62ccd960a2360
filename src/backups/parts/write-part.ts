import { join } from 'node:path';
import { PassThrough, type Writable } from 'node:stream';
import type { ManifestPart } from '../sets/manifest.ts';
import { type Compression, type CompressionContext, compress } from './compression.ts';
import { encrypt } from './encryption.ts';
import { Meter } from './meter.ts';
import { PartFile } from './part-file.ts';
import { type BytesReport, reportBytes } from './report-bytes.ts';
import { runTogether } from './run-together.ts';
import { isFileSystemError } from './unwritable.ts';

export interface WritePartOptions extends CompressionContext {
  /** The set that is being made. */
  directory: string;
  /** Name of the part without the endings that compression and encryption add: `database.dump`. */
  name: string;
  holds: ManifestPart['holds'];
  compression: Compression;
  /** Whom the part is encrypted to; nobody leaves it as it is. */
  recipients: readonly string[];
  /** Writes the content and ends the stream; a failure of it is a failure of the part. */
  produce: (target: Writable, signal: AbortSignal) => Promise<unknown>;
  /** Is told how much of the content has passed. */
  watcher?: BytesReport | undefined;
}

/**
 * Writes one part of a set, in one pass and constant memory: what `produce` writes, compressed, encrypted, hashed, and on
 * disk when this resolves. What is to be encrypted never touches the disk before.
 */
export async function writePart(options: WritePartOptions): Promise<ManifestPart> {
  const { directory, holds, compression, recipients, produce } = options;
  const isEncrypted = recipients.length > 0;
  const file = partFile(options);
  const content = new Meter();
  const target = new PartFile(join(directory, file));
  const compressed = new PassThrough({ highWaterMark: 1024 * 1024 });
  using _telling = reportBytes(content, options.watcher);
  try {
    await runTogether({
      signal: options.signal,
      joints: [content, compressed],
      members: [
        async (signal) => await produce(content, signal),
        async (signal) =>
          await compress({ ...options, source: content, target: isEncrypted ? compressed : target, signal }),
        async (signal) => {
          if (isEncrypted) await encrypt({ ...options, source: compressed, target, signal });
        },
      ],
    });
  } catch (error) {
    // Whoever writes into a program that has died of a full disk may be heard of first.
    throw isFileSystemError(target.errored) ? target.errored : error;
  }
  return {
    file,
    holds,
    compression: compression.format,
    encryption: isEncrypted ? 'age' : 'none',
    bytes: target.bytes,
    uncompressedBytes: content.bytes,
    sha256: target.sha256(),
  };
}

/** The name of a part in its set. */
export function partFile(options: Pick<WritePartOptions, 'name' | 'compression' | 'recipients'>): string {
  const { name, compression, recipients } = options;
  return `${name}${compression.format === 'zstd' ? '.zst' : ''}${recipients.length > 0 ? '.age' : ''}`;
}
