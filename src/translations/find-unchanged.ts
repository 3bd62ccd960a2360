import type { CatalogReport } from './compile-report.ts';
import { noDiff } from './diff-with-live.ts';
import type { FoundCatalog } from './find-catalogs.ts';
import { strayLink } from './link-bounds.ts';
import { type PreparedCatalog, type PrepareOptions, unknownCounts } from './prepare-catalog.ts';
import { readIfThere, realPathOf } from './read-if-there.ts';
import { ReusableBuffer } from './reusable-buffer.ts';
import { sha256, sourceFingerprint } from './source-fingerprint.ts';

/** One file at a time is looked at. */
const buffer = new ReusableBuffer();

/**
 * The catalog, where both of its files are known by their content and there is nothing to do; undefined where it is to
 * be compiled, or to be looked at more closely.
 */
export function findUnchanged(
  catalog: FoundCatalog,
  options: Omit<PrepareOptions, 'parse'>,
): PreparedCatalog | undefined {
  const known = options.known.get(catalog.path);
  if (known?.result !== 'installed' || options.isForced || options.isCheckOnly) return undefined;
  const source = realPathOf(catalog.path);
  const output = realPathOf(catalog.output);
  if (strayLink({ source, output, catalog, bounds: options.bounds }) !== undefined) return undefined;
  const live = readIfThere(output, buffer);
  if (live === undefined || known.outputSha256 !== sha256(live)) return undefined;
  const bytes = readIfThere(source, buffer);
  if (bytes === undefined || known.sourceSha256 !== sourceFingerprint(bytes, options)) return undefined;
  const { path, locale } = catalog;
  const report: CatalogReport = {
    ...{ path, output: catalog.output, locale, result: 'unchanged', ...unknownCounts, ...noDiff },
    ...{ isForeign: false, errors: [] },
  };
  return { report, staged: undefined, liveSha256: null, isBlocking: false, state: known, isKnown: true };
}
