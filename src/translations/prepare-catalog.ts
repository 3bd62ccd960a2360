import type { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { TendError, toError } from '../errors.ts';
import type { CatalogState } from './catalog-state.ts';
import { type CatalogCounts, compileCatalog } from './compile-catalog.ts';
import type { CatalogReport } from './compile-report.ts';
import type { FoundCatalog } from './find-catalogs.ts';
import { type StagedCatalog, stageCatalog } from './stage-catalog.ts';
import { type MoParser, verifyMo } from './verify-mo.ts';

export interface PrepareOptions {
  /** File names in diagnostics are relative to this folder, where they are in it. */
  cwd: string;
  useFuzzy: boolean;
  onBadMessage: 'fail' | 'drop';
  /** True to compile and verify in memory only. */
  isCheckOnly: boolean;
  /** True to install also what is the same already. */
  isForced: boolean;
  known: ReadonlyMap<string, CatalogState>;
  parse: MoParser;
}

export interface PreparedCatalog {
  report: CatalogReport;
  /** Undefined where nothing is to be installed. */
  staged: StagedCatalog | undefined;
  /** What to remember once the run has succeeded. */
  state: CatalogState;
}

/** Part of the fingerprint: another number makes every catalog be compiled again. */
const compilerVersion = 1;

/**
 * Brings one catalog as far as it goes without touching anything live: known as unchanged, or compiled, verified and
 * staged beside its place, or found bad.
 */
export async function prepareCatalog(
  catalog: FoundCatalog,
  options: PrepareOptions,
): Promise<PreparedCatalog> {
  const bytes = await readSource(catalog.path);
  const live = options.isCheckOnly ? undefined : await readFile(catalog.output).catch(() => undefined);
  const sourceSha256 = fingerprint(bytes, options);
  const known = options.known.get(catalog.path);
  if (known !== undefined && !options.isForced && isStillInstalled(known, sourceSha256, live)) {
    return { report: toReport(catalog, 'unchanged', undefined), staged: undefined, state: known };
  }
  const compiled = compileCatalog({ bytes, file: displayName(catalog.path, options.cwd), ...options });
  const { counts, diagnostics, output } = compiled;
  const state = { path: catalog.path, sourceSha256 };
  if (output === undefined) {
    const message = diagnostics.find(({ severity }) => severity === 'error')?.message ?? null;
    return {
      report: { ...toReport(catalog, 'failed', counts), errors: diagnostics },
      staged: undefined,
      state: { ...state, outputSha256: null, result: 'failed', message },
    };
  }
  const isSame = live?.equals(output.bytes) === true && !options.isForced;
  if (options.isCheckOnly) verifyMo(output.bytes, output.entries, options.parse);
  const isStaged = !isSame && !options.isCheckOnly;
  return {
    report: { ...toReport(catalog, isSame ? 'unchanged' : 'checked', counts), errors: diagnostics },
    staged: isStaged
      ? await stageCatalog({ ...catalog, ...output, source: catalog.path, parse: options.parse })
      : undefined,
    state: { ...state, outputSha256: sha256(output.bytes), result: 'installed', message: null },
  };
}

function isStillInstalled(known: CatalogState, sourceSha256: string, live: Buffer | undefined): boolean {
  if (known.result !== 'installed' || known.sourceSha256 !== sourceSha256 || live === undefined) return false;
  return known.outputSha256 === sha256(live);
}

function toReport(
  catalog: FoundCatalog,
  result: CatalogReport['result'],
  counts: CatalogCounts | undefined,
): CatalogReport {
  const none = { translated: null, fuzzy: null, untranslated: null, obsolete: null, dropped: null };
  const { path, output, locale } = catalog;
  return { path, output, locale, result, ...(counts ?? none), errors: [] };
}

async function readSource(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
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
