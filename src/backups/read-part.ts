import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { TendError, toError } from '../errors.ts';
import type { BackupSet } from './backup-directory.ts';
import { type CompressionContext, decompress } from './compression.ts';
import type { ManifestPart } from './manifest.ts';
import { Meter } from './meter.ts';
import { runTogether } from './run-together.ts';

export interface ReadPartOptions extends CompressionContext {
  set: BackupSet;
  part: ManifestPart;
  /** Gets the content, decompressed, and is ended. */
  target: Writable;
}

/**
 * Reads one part of a set, wherever it lies, and compares it with the manifest on the way. Its content has gone into
 * `target` by the time that a difference is known: act on nothing before this has resolved, unless it can be thrown away.
 *
 * @throws TendError BACKUP_DAMAGED where it cannot be read, or is not what the manifest says.
 */
export async function readPart(
  options: ReadPartOptions,
): Promise<{ bytes: number; uncompressedBytes: number }> {
  const { set, part, target } = options;
  const stored = new Meter({ algorithm: 'sha256' });
  const content = new Meter();
  try {
    await checkSize(options);
    const source = await set.files.open(part.file);
    await runTogether({
      signal: options.signal,
      joints: [stored, content],
      members: [
        async (signal) => await pipeline(source, stored, { signal }),
        async (signal) =>
          await decompress({ ...options, source: stored, target: content, format: part.compression, signal }),
        async (signal) => await pour(content, target, signal),
      ],
    });
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof TendError && error.code === 'BACKUP_DAMAGED') throw error;
    throw damagedPart(set.id, `"${part.file}" cannot be read: ${toError(error).message}`, error);
  }
  const sha256 = stored.digest();
  if (sha256 !== part.sha256)
    throw damagedPart(set.id, `"${part.file}" has the SHA-256 ${sha256}, not ${part.sha256}`);
  return { bytes: stored.bytes, uncompressedBytes: content.bytes };
}

/**
 * As `pipeline` does, but for a target whose reader ends early: `pg_restore` is done when it has the last block, maybe
 * before we know that it was the last. The rest is read for the checksum alone; that the reader failed is for the
 * reader to say. (`pipeline` would wait for ever on such a target where it is also readable, Node 24.21.)
 */
async function pour(source: Readable, target: Writable, signal: AbortSignal): Promise<void> {
  const closed = finished(target, { readable: false }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  });
  closed.catch(() => undefined);
  for await (const chunk of source) {
    if (target.destroyed) continue;
    if (!target.write(chunk)) await Promise.race([once(target, 'drain', { signal }), closed]);
  }
  if (!target.destroyed) target.end();
  await Promise.race([closed, once(signal, 'abort')]);
  signal.throwIfAborted();
}

async function checkSize({ set, part }: ReadPartOptions): Promise<void> {
  const size = await set.files.size(part.file);
  if (size !== part.bytes) {
    throw damagedPart(set.id, `"${part.file}" has ${size} bytes, not ${part.bytes}`);
  }
}

/** A set that is not what its manifest says, in the words that every reader of sets uses. */
export function damagedPart(id: string, why: string, cause?: unknown): TendError {
  return new TendError('BACKUP_DAMAGED', `Backup set "${id}" is damaged: ${why.replace(/\.$/, '')}.`, {
    cause,
    isPermanent: true,
    hint: 'Keep it for now, and take another: tend backup',
  });
}
