import { statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { loadMoParser } from './compare-with-gettext-parser.ts';
import { compileInThread } from './compile-in-thread.ts';
import type { FoundCatalog } from './find-catalogs.ts';
import { findUnchanged } from './find-unchanged.ts';
import { type PreparedCatalog, type PrepareOptions, prepareCatalog } from './prepare-catalog.ts';

export interface PrepareSetOptions extends Omit<PrepareOptions, 'parse'> {
  /** Bytes of .po files from which a thread with bounded memory is worth its start. */
  threadFrom?: number;
  report: (detail: string) => void;
  signal: AbortSignal;
}

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/**
 * Prepares all catalogs: those that are known by their content are passed over, the others are compiled, in
 * a thread of bounded memory where there is much to compile. Fills `prepared`, in the order of the catalogs, also when it throws: what is
 * staged by then is to be removed.
 */
export async function prepareSet(
  catalogs: readonly FoundCatalog[],
  options: PrepareSetOptions,
  prepared: PreparedCatalog[],
): Promise<void> {
  const { signal } = options;
  const done = new Map<FoundCatalog, PreparedCatalog>();
  try {
    const changed: FoundCatalog[] = [];
    for (const catalog of catalogs) {
      signal.throwIfAborted();
      const unchanged = findUnchanged(catalog, options);
      if (unchanged === undefined) changed.push(catalog);
      else done.set(catalog, unchanged);
      if (done.size % 16 === 15) await setImmediate(); // so that signals are heard
    }
    await compileAll(changed, options, (catalog, result) => {
      done.set(catalog, result);
      if (done.size % 16 === 0) options.report(`${done.size} of ${catalogs.length}`);
    });
  } finally {
    prepared.push(...catalogs.flatMap((catalog) => done.get(catalog) ?? []));
  }
}

async function compileAll(
  changed: readonly FoundCatalog[],
  options: PrepareSetOptions,
  onDone: (catalog: FoundCatalog, prepared: PreparedCatalog) => void,
): Promise<void> {
  if (changed.length === 0) return;
  const { signal, threadFrom = 16 * mebibyte } = options;
  const sizes = new Map(changed.map((catalog) => [catalog, sizeOf(catalog)]));
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (bytes >= threadFrom) {
    const largestBytes = Math.max(...sizes.values());
    return await compileInThread({ catalogs: changed, options, largestBytes, onDone, signal });
  }
  const parse = await loadMoParser();
  let bytesSince = 0;
  for (const catalog of changed) {
    signal.throwIfAborted();
    onDone(catalog, prepareCatalog(catalog, { ...options, parse }));
    bytesSince += sizes.get(catalog) ?? 0;
    if (bytesSince < 256 * kibibyte) continue;
    bytesSince = 0;
    await setImmediate(); // so that signals are heard
  }
}

function sizeOf({ path }: FoundCatalog): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
