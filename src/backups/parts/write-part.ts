import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { DirectPipe } from '../../processes/direct-pipe.ts';
import type { ManifestPart } from '../sets/manifest.ts';
import { canCompressDirectly } from './compress-directly.ts';
import type { Compression, CompressionContext } from './compression.ts';
import { fillPart } from './fill-part.ts';
import { fillPartDirectly } from './fill-part-directly.ts';
import { PartFile } from './part-file.ts';
import { type BytesReport, reportBytes } from './report-bytes.ts';
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
  /** Runs the program whose output is the content; a failure of it is a failure of the part. */
  produce: (stdout: Writable | DirectPipe, signal: AbortSignal) => Promise<unknown>;
  /** Is told how large the part has become. */
  watcher?: BytesReport | undefined;
}

/**
 * Writes one part of a set, in one pass and constant memory: what `produce` writes, compressed, encrypted, hashed, and on
 * disk when this resolves. What is to be encrypted never touches the disk before.
 */
export async function writePart(options: WritePartOptions): Promise<ManifestPart> {
  const { directory, holds, compression, recipients } = options;
  const isDirect = compression.format === 'zstd' && (await canCompressDirectly(options));
  const fill = isDirect ? fillPartDirectly : fillPart;
  const file = partFile(options);
  const target = new PartFile(join(directory, file));
  using _telling = reportBytes(target, options.watcher);
  try {
    const uncompressedBytes = await fill({ ...options, target });
    return {
      file,
      holds,
      compression: compression.format,
      encryption: recipients.length > 0 ? 'age' : 'none',
      bytes: target.bytes,
      uncompressedBytes,
      sha256: target.sha256(),
    };
  } catch (error) {
    // Whoever writes into a program that has died of a full disk may be heard of first.
    throw isFileSystemError(target.errored) ? target.errored : error;
  }
}

/** The name of a part in its set. */
export function partFile(options: Pick<WritePartOptions, 'name' | 'compression' | 'recipients'>): string {
  const { name, compression, recipients } = options;
  return `${name}${compression.format === 'zstd' ? '.zst' : ''}${recipients.length > 0 ? '.age' : ''}`;
}
