import type { Buffer } from 'node:buffer';
import { relative } from 'node:path';
import { TendError, toError } from '../errors.ts';
import type { CatalogState } from './catalog-state.ts';
import type { MoParser } from './compare-with-gettext-parser.ts';
import { type CatalogCounts, compileCatalog } from './compile-catalog.ts';
import type { CatalogReport } from './compile-report.ts';
import { describeLoss, diffWithLive, readLive, unknownDiff } from './diff-with-live.ts';
import type { FoundCatalog } from './find-catalogs.ts';
import type { Diagnostic } from './findings.ts';
import { type LinkBounds, strayLink } from './link-bounds.ts';
import { readIfThere, realPathOf } from './read-if-there.ts';
import { ReusableBuffer } from './reusable-buffer.ts';
import { sha256, sourceFingerprint } from './source-fingerprint.ts';
import { type StagedCatalog, stageCatalog } from './stage-catalog.ts';
import { verifyMo } from './verify-mo.ts';

export interface PrepareOptions {
  /** File names in diagnostics are relative to this folder, where they are in it. */
  cwd: string;
  useFuzzy: boolean;
  onBadMessage: 'fail' | 'drop';
  /** True to compile and verify in memory only. */
  isCheckOnly: boolean;
  /** True to install also what is the same already. */
  isForced: boolean;
  /** How many percent of the messages of its live file a catalog may lose; undefined for any. */
  maxDropPercent: number | undefined;
  known: ReadonlyMap<string, CatalogState>;
  bounds: LinkBounds;
  parse: MoParser;
}

export interface PreparedCatalog {
  report: CatalogReport;
  /** Undefined where nothing is to be installed. */
  staged: StagedCatalog | undefined;
  /** Of the live file before; null where there was none. Worked out only where something is staged. */
  liveSha256: string | null;
  /** True where nothing of the whole set may go live with it, whatever is done with bad messages. */
  isBlocking: boolean;
  /** What to remember once the run has succeeded. */
  state: CatalogState;
  /** True where that is remembered already. */
  isKnown?: boolean;
}

/** One catalog after the other. */
const [sourceBuffer, liveBuffer] = [new ReusableBuffer(), new ReusableBuffer()];

/** Of a catalog that was not read. */
export const unknownCounts = {
  translated: null,
  fuzzy: null,
  untranslated: null,
  obsolete: null,
  dropped: null,
};

/**
 * Brings one catalog as far as it goes without touching anything live: compiled, verified and staged beside its place,
 * or found bad. Synchronous, for one that is long or many that are short.
 */
export function prepareCatalog(catalog: FoundCatalog, options: PrepareOptions): PreparedCatalog {
  const file = displayName(catalog.path, options.cwd);
  const source = realPathOf(catalog.path);
  const output = realPathOf(catalog.output);
  const stray = strayLink({ source, output, catalog, bounds: options.bounds });
  if (stray !== undefined) return failed({ catalog, diagnostics: [aboutFile(file, stray)] });
  const bytes = readSource(source);
  const live = readIfThere(output, liveBuffer);
  const sourceSha256 = sourceFingerprint(bytes, options);
  const known = options.known.get(catalog.path);
  const { counts, diagnostics, output: compiled } = compileCatalog({ bytes, file, ...options });
  if (compiled === undefined) return failed({ catalog, diagnostics, counts, sourceSha256 });
  const before = readLive(live);
  const diff = diffWithLive(before, compiled.entries);
  const loss = describeLoss({ before, diff, entries: compiled.entries, output, ...options });
  if (loss !== undefined) {
    const about = [...diagnostics, aboutFile(file, loss)];
    return { ...failed({ catalog, diagnostics: about, counts, sourceSha256 }), isBlocking: true };
  }
  const isSame = live?.equals(compiled.bytes) === true && !options.isForced && !options.isCheckOnly;
  if (options.isCheckOnly) verifyMo(compiled.bytes, compiled.entries, options.parse);
  const isStaged = !isSame && !options.isCheckOnly;
  return {
    report: {
      ...toReport(catalog, isSame ? 'unchanged' : 'checked', counts),
      ...diff,
      isForeign: !isSame && isForeign(known, live),
      errors: diagnostics,
    },
    staged: isStaged ? stageCatalog({ ...compiled, live: output, source, parse: options.parse }) : undefined,
    liveSha256: isStaged && live !== undefined ? sha256(live) : null,
    isBlocking: false,
    state: {
      ...{ path: catalog.path, sourceSha256, outputSha256: sha256(compiled.bytes) },
      ...{ result: 'installed', message: null },
    },
  };
}

interface FailedCatalog {
  catalog: FoundCatalog;
  diagnostics: Diagnostic[];
  counts?: CatalogCounts;
  /** Not known where the source was not read. */
  sourceSha256?: string;
}

function failed({ catalog, diagnostics, counts, sourceSha256 = '' }: FailedCatalog): PreparedCatalog {
  const message = diagnostics.find(({ severity }) => severity === 'error')?.message ?? null;
  return {
    report: { ...toReport(catalog, 'failed', counts), errors: diagnostics },
    staged: undefined,
    liveSha256: null,
    isBlocking: false,
    state: { path: catalog.path, sourceSha256, outputSha256: null, result: 'failed', message },
  };
}

function aboutFile(file: string, message: string): Diagnostic {
  return { file, line: 1, column: 1, severity: 'error', message };
}

/** Whether somebody else has written the live file since it was installed. */
function isForeign(known: CatalogState | undefined, live: Buffer | undefined): boolean {
  return known?.result === 'installed' && live !== undefined && known.outputSha256 !== sha256(live);
}

function toReport(
  catalog: FoundCatalog,
  result: CatalogReport['result'],
  counts: CatalogCounts | undefined,
): CatalogReport {
  const { path, output, locale } = catalog;
  return {
    path,
    output,
    locale,
    result,
    ...(counts ?? unknownCounts),
    ...unknownDiff,
    isForeign: false,
    errors: [],
  };
}

function readSource(path: string): Buffer {
  try {
    return sourceBuffer.read(path);
  } catch (error) {
    throw new TendError('INPUT_MISSING', `"${path}" cannot be read: ${toError(error).message}`, {
      cause: error,
    });
  }
}

function displayName(path: string, cwd: string): string {
  const name = relative(cwd, path);
  return name.startsWith('..') ? path : name;
}
