import type { Buffer } from 'node:buffer';
import { chmodSync, chownSync, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { TendError, toError } from '../errors.ts';
import type { MoParser } from './compare-with-gettext-parser.ts';
import type { MoEntry } from './mo-entry.ts';
import { ReusableBuffer } from './reusable-buffer.ts';
import { temporaryName } from './temporary-names.ts';
import { verifyMo } from './verify-mo.ts';

/** A verified .mo file that waits beside its place. */
export interface StagedCatalog {
  /** Where it goes; where that was a symbolic link, the file it leads to. */
  live: string;
  staged: string;
}

export interface StageCatalogOptions {
  /** The real path: a link is replaced, never followed. */
  live: string;
  /** Gives a new file its owner and mode, less the right to execute. */
  source: string;
  bytes: Buffer;
  entries: readonly MoEntry[];
  parse: MoParser;
}

/** One catalog after the other. */
const readBackBuffer = new ReusableBuffer();

/**
 * Writes a compiled catalog beside its place, with the mode and owner of the file it will replace, and reads it back
 * from there. It is not yet on the disk for good: applying the set does that for all files together, which is quicker.
 * Synchronous: for a thousand small files the detours through a thread pool are most of the work.
 *
 * @throws TendError OUTPUT_UNWRITABLE
 */
export function stageCatalog(options: StageCatalogOptions): StagedCatalog {
  const { live, bytes, entries, parse } = options;
  const staged = temporaryName(live, 'new');
  try {
    writeFileSync(staged, bytes);
    copyOwnership(live, options.source, staged);
  } catch (error) {
    if (existsSync(staged)) rmSync(staged);
    throw unwritable(live, error);
  }
  const written = readBackBuffer.read(staged);
  if (!written.equals(bytes)) throw unwritable(live, new Error('the disk gave back other bytes'));
  verifyMo(written, entries, parse);
  return { live, staged };
}

export function unwritable(output: string, error: unknown): TendError {
  return new TendError('OUTPUT_UNWRITABLE', `"${output}" cannot be written: ${toError(error).message}`, {
    cause: error,
  });
}

/** Gives `staged` the mode and owner of the live file, or where there is none those of `source`. */
export function copyOwnership(live: string, source: string, staged: string): void {
  const old = statSync(live, { throwIfNoEntry: false });
  const model = old ?? statSync(source);
  chmodSync(staged, old === undefined ? model.mode & 0o666 : model.mode & 0o7777);
  const own = statSync(staged);
  if (own.uid === model.uid && own.gid === model.gid) return;
  try {
    chownSync(staged, model.uid, model.gid);
  } catch {
    // Only root may give files away: without that right the new file is ours, as any other program would leave it.
  }
}
