import type { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { relative } from 'node:path';
import { TendError, toError } from '../errors.ts';
import type { CatalogState } from './catalog-state.ts';
import type { MoParser } from './compare-with-gettext-parser.ts';
import { type CatalogCounts, compileCatalog } from './compile-catalog.ts';
import type { CatalogReport } from './compile-report.ts';
import { describeLoss, diffWithLive, noDiff, readLive, unknownDiff } from './diff-with-live.ts';
import type { FoundCatalog } from './find-catalogs.ts';
import type { Diagnostic } from './findings.ts';
import { type LinkBounds, strayLink } from './link-bounds.ts';
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
}

/** Part of the fingerprint: another number makes every catalog be compiled again. */
const compilerVersion = 2;

/**
 * Brings one catalog as far as it goes without touching anything live: known as unchanged, or compiled, verified and
 * staged beside its place, or found bad.
 */
export function prepareCatalog(catalog: FoundCatalog, options: PrepareOptions): PreparedCatalog {
  const file = displayName(catalog.path, options.cwd);
  const source = realPathOf(catalog.path);
  const output = realPathOf(catalog.output);
  const stray = strayLink({ source, output, catalog, bounds: options.bounds });
  if (stray !== undefined) return failed({ catalog, diagnostics: [aboutFile(file, stray)] });
  const bytes = readSource(source);
  const live = readIfThere(output);
  const sourceSha256 = fingerprint(bytes, options);
  const known = options.known.get(catalog.path);
  if (
    known !== undefined &&
    !options.isForced &&
    !options.isCheckOnly &&
    isStillInstalled(known, sourceSha256, live)
  ) {
    const report = { ...toReport(catalog, 'unchanged', undefined), ...noDiff };
    return { report, staged: undefined, liveSha256: null, isBlocking: false, state: known };
  }
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

function isStillInstalled(known: CatalogState, sourceSha256: string, live: Buffer | undefined): boolean {
  if (known.result !== 'installed' || known.sourceSha256 !== sourceSha256 || live === undefined) return false;
  return known.outputSha256 === sha256(live);
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
  const none = { translated: null, fuzzy: null, untranslated: null, obsolete: null, dropped: null };
  const { path, output, locale } = catalog;
  return { path, output, locale, result, ...(counts ?? none), ...unknownDiff, isForeign: false, errors: [] };
}

/** Also of a link that leads nowhere: that is the path itself. */
export function realPathOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function readSource(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new TendError('INPUT_MISSING', `"${path}" cannot be read: ${toError(error).message}`, {
      cause: error,
    });
  }
}

/** The options are part of it, since the same source gives another .mo file with others. */
function fingerprint(bytes: Buffer, { useFuzzy, onBadMessage }: PrepareOptions): string {
  const recipe = JSON.stringify([compilerVersion, useFuzzy, onBadMessage]);
  return createHash('sha256').update(recipe).update(bytes).digest('hex');
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function displayName(path: string, cwd: string): string {
  const name = relative(cwd, path);
  return name.startsWith('..') ? path : name;
}
