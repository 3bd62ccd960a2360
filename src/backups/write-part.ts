import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { type Compression, type CompressionContext, compress } from './compression.ts';
import type { ManifestPart } from './manifest.ts';
import { Meter } from './meter.ts';
import { PartFile } from './part-file.ts';
import { runTogether } from './run-together.ts';

export interface WritePartOptions extends CompressionContext {
  /** The set that is being made. */
  directory: string;
  /** Name of the part without the endings that compression and encryption add: `database.dump`. */
  name: string;
  holds: ManifestPart['holds'];
  compression: Compression;
  /** Writes the content and ends the stream; a failure of it is a failure of the part. */
  produce: (target: Writable, signal: AbortSignal) => Promise<unknown>;
}

/**
 * Writes one part of a set, in one pass and constant memory: what `produce` writes, compressed, hashed, and on disk when
 * this resolves.
 */
export async function writePart(options: WritePartOptions): Promise<ManifestPart> {
  const { directory, name, holds, compression, produce } = options;
  const file = partFile(name, compression);
  const content = new Meter();
  const target = new PartFile(join(directory, file));
  await runTogether({
    signal: options.signal,
    joints: [content],
    members: [
      async (signal) => await produce(content, signal),
      async (signal) => await compress({ ...options, source: content, target, signal }),
    ],
  });
  return {
    file,
    holds,
    compression: compression.format,
    encryption: 'none',
    bytes: target.bytes,
    uncompressedBytes: content.bytes,
    sha256: target.sha256(),
  };
}

/** The name of a part in its set. */
export function partFile(name: string, { format }: Compression): string {
  return format === 'zstd' ? `${name}.zst` : name;
}
