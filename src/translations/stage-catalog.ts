import type { Buffer } from 'node:buffer';
import { chmod, chown, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { TendError, toError } from '../errors.ts';
import type { MoEntry } from './mo-entry.ts';
import { temporaryName } from './temporary-names.ts';
import { type MoParser, verifyMo } from './verify-mo.ts';

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

/**
 * Writes a compiled catalog beside its place, with the mode and owner of the file it will replace, and reads it back
 * from there. It is not yet on the disk for good: applying the set does that for all files together, which is quicker.
 *
 * @throws TendError OUTPUT_UNWRITABLE
 */
export async function stageCatalog(options: StageCatalogOptions): Promise<StagedCatalog> {
  const { live, bytes, entries, parse } = options;
  const staged = temporaryName(live, 'new');
  try {
    await writeFile(staged, bytes);
    await copyOwnership(live, options.source, staged);
  } catch (error) {
    await rm(staged, { force: true }).catch(() => {});
    throw unwritable(live, error);
  }
  const written = await readFile(staged);
  if (!written.equals(bytes)) throw unwritable(live, new Error('the disk gave back other bytes'));
  verifyMo(written, entries, parse);
  return { live, staged };
}

/** fsync of a file, or of a folder whose entries changed. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function unwritable(output: string, error: unknown): TendError {
  return new TendError('OUTPUT_UNWRITABLE', `"${output}" cannot be written: ${toError(error).message}`, {
    cause: error,
  });
}

/** Gives `staged` the mode and owner of the live file, or where there is none those of `source`. */
export async function copyOwnership(live: string, source: string, staged: string): Promise<void> {
  const old = await stat(live).catch(() => undefined);
  const model = old ?? (await stat(source));
  await chmod(staged, old === undefined ? model.mode & 0o666 : model.mode & 0o7777);
  const own = await stat(staged);
  if (own.uid === model.uid && own.gid === model.gid) return;
  // Only root may give files away: without that right the new file is ours, as any other program would leave it.
  await chown(staged, model.uid, model.gid).catch(() => {});
}
