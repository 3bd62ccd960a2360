import { once } from 'node:events';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { TendError, toError } from '../../errors.ts';
import { DirectFile } from '../../processes/direct-file.ts';
import { DirectPipe } from '../../processes/direct-pipe.ts';
import { isRemoteError } from '../remotes/remote-errors.ts';
import type { BackupSet } from '../sets/backup-directory.ts';
import type { ManifestPart } from '../sets/manifest.ts';
import { type CompressionContext, decompress, isDecompressedByProgram } from './compression.ts';
import { AgeError, decrypt, isDecryptedByProgram } from './encryption.ts';
import type { Identity } from './find-identity.ts';
import { Meter } from './meter.ts';
import { reportBytes } from './report-bytes.ts';
import { requireIdentity, wrongIdentity } from './require-identity.ts';
import { runTogether } from './run-together.ts';

export interface ReadPartOptions extends CompressionContext {
  set: BackupSet;
  part: ManifestPart;
  /** Opens an encrypted set. */
  identity?: Identity | undefined;
  /** Gets the content, decrypted and decompressed; a stream is ended. */
  target: Writable | DirectFile;
  /** Is told how much of the content has passed. */
  report?: ((detail: string) => void) | undefined;
}

/**
 * Reads one part of a set, wherever it lies, and compares it with the manifest on the way. Its content has gone into
 * `target` by the time that a difference is known: act on nothing before this has resolved, unless it can be thrown away.
 *
 * The programs `age` and `zstd` are joined to each other, and to a file: only what is stored passes by this process then.
 *
 * @throws TendError BACKUP_DAMAGED where it cannot be read, or is not what the manifest says; BACKUP_KEY_MISSING,
 *   BACKUP_KEY_WRONG.
 */
export async function readPart(
  options: ReadPartOptions,
): Promise<{ bytes: number; uncompressedBytes: number }> {
  const { set, part, target, identity } = options;
  const stored = new Meter({ algorithm: 'sha256' });
  const content = target instanceof DirectFile ? target : new Meter();
  const isEncrypted = part.encryption !== 'none';
  const decrypted = areJoined(options) ? new DirectPipe() : new PassThrough({ highWaterMark: 1024 * 1024 });
  const failed: { decryption?: AgeError } = {};
  const decrypting = Promise.withResolvers<void>();
  const decompressed = Promise.withResolvers<void>();
  if (isEncrypted) requireIdentity(set.manifest, identity);
  const { report } = options;
  using _telling = reportBytes(content, report && { report, expectedBytes: part.uncompressedBytes });
  try {
    await checkSize(options);
    const source = await set.files.open(part.file);
    await runTogether({
      signal: options.signal,
      joints: [stored, decrypted, ...(content instanceof Meter ? [content] : [])],
      members: [
        async (signal) => await pipeline(source, stored, { signal }).catch(unlessClosed),
        async (signal) => {
          if (!isEncrypted || identity === undefined) return;
          const work = decrypt({ ...options, identity, source: stored, target: decrypted, signal });
          await work
            .catch((error: unknown) => {
              if (error instanceof AgeError) failed.decryption = error;
              throw error;
            })
            .finally(decrypting.resolve);
        },
        async (signal) => {
          const compressed = isEncrypted ? decrypted : stored;
          const format = part.compression;
          const work = decompress({ ...options, source: compressed, target: content, format, signal });
          await work.catch(async (error: unknown) => {
            // What fails for want of input must not be first by chance: why there was none says more.
            if (isEncrypted)
              await Promise.race([decrypting.promise, delay(10_000, undefined, { ref: false })]);
            throw error;
          });
          decompressed.resolve();
        },
        async (signal) => {
          if (!(content instanceof Meter) || target instanceof DirectFile) return;
          await pour({ source: content, target, isWhole: decompressed.promise, signal });
        },
      ],
    });
  } catch (error) {
    options.signal.throwIfAborted();
    const { decryption } = failed;
    if (decryption?.isForKey === true && identity !== undefined && !isNamed(identity, set))
      throw wrongIdentity(set.manifest, identity, decryption);
    throw aboutSet(set.id, part.file, decryption ?? error);
  }
  requireHash(set.id, part, stored.digest());
  return { bytes: stored.bytes, uncompressedBytes: content.bytes };
}

/** Whether what decrypts and what decompresses are both programs. */
function areJoined({ part, identity, env }: ReadPartOptions): boolean {
  if (identity === undefined) return false;
  return isDecryptedByProgram(identity, env) && isDecompressedByProgram(part.compression, env);
}

/** Whether the manifest says that the set is encrypted to a key of this identity. */
function isNamed(identity: Identity, { manifest }: BackupSet): boolean {
  return identity.recipients.some((recipient) => manifest.recipients.includes(recipient));
}

/**
 * As `pipeline` does, which however waits for ever on a target that is also readable and whose reader is gone
 * (Node 24.21). A reader may be gone before the end because it has all it wants: pg_restore stops at the last block of an
 * archive, and closes its input without waiting for the end of it. Whether it was content it tells itself; the rest is
 * read all the same, for the hash.
 *
 * The target sees an end only of what is whole: what says of a half that it is cut off must not be heard before what
 * says why.
 */
async function pour(options: {
  source: Readable;
  target: Writable;
  isWhole: Promise<void>;
  signal: AbortSignal;
}): Promise<void> {
  const { source, target, isWhole, signal } = options;
  const isLeft = () => target.destroyed && target.errored === null;
  const written = finished(target, { readable: false }).catch((error: unknown) => {
    if (!isLeft()) throw error;
  });
  written.catch(() => undefined);
  for await (const chunk of source) {
    if (!isLeft() && !target.write(chunk)) await Promise.race([once(target, 'drain', { signal }), written]);
  }
  if (!signal.aborted) await Promise.race([isWhole, once(signal, 'abort')]);
  signal.throwIfAborted();
  target.end();
  await Promise.race([written, once(signal, 'abort')]);
  signal.throwIfAborted();
}

/**
 * Whoever decrypts or decompresses went away: it failed, and says why, which must not be second by chance; or it had
 * enough, and what it did not read is missing in the hash.
 */
function unlessClosed(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
}

/** @throws TendError BACKUP_DAMAGED where the file has another size than the manifest says. */
export async function checkSize({ set, part }: Pick<ReadPartOptions, 'set' | 'part'>): Promise<void> {
  const size = await set.files.size(part.file);
  if (size !== part.bytes) {
    throw damagedPart(set.id, `"${part.file}" has ${size} bytes, not ${part.bytes}`);
  }
}

/** @throws TendError BACKUP_DAMAGED where the file has another content than the manifest says. */
export function requireHash(id: string, part: ManifestPart, sha256: string): void {
  if (sha256 === part.sha256) return;
  throw damagedPart(id, `"${part.file}" has the SHA-256 ${sha256}, not ${part.sha256}`);
}

const verdicts = new Set<string>([
  'BACKUP_DAMAGED',
  'BACKUP_KEY_MISSING',
  'BACKUP_KEY_WRONG',
  'TOOL_TIMED_OUT',
]);

/** The error of a reader: what is already said about the set or its reader, or that its part cannot be read. */
export function aboutSet(id: string, file: string, error: unknown): TendError {
  if (error instanceof TendError && verdicts.has(error.code)) return error;
  if (isRemoteError(error)) return error;
  return damagedPart(id, `"${file}" cannot be read: ${toError(error).message}`, error);
}

/** A set that is not what its manifest says, in the words that every reader of sets uses. */
export function damagedPart(id: string, why: string, cause?: unknown): TendError {
  return new TendError('BACKUP_DAMAGED', `Backup set "${id}" is damaged: ${why.replace(/\.$/, '')}.`, {
    cause,
    isPermanent: true,
    hint: 'Keep it for now, and take another: tend backup',
  });
}
