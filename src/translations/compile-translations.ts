import { dirname } from 'node:path';
import type { AppControls } from '../app/app-controls.ts';
import { TendError, toError } from '../errors.ts';
import type { Log, Progress } from '../log.ts';
import type { CatalogState, CatalogStateStore } from './catalog-state.ts';
import { type CompileReport, summarize } from './compile-report.ts';
import { type FoundCatalog, findCatalogs } from './find-catalogs.ts';
import { createCatalogSet } from './install-catalogs.ts';
import { installSet } from './install-set.ts';
import { type KeptSets, openKeptSets } from './kept-set.ts';
import { linkPlaces } from './link-bounds.ts';
import type { PreparedCatalog, PrepareOptions } from './prepare-catalog.ts';
import { prepareSet } from './prepare-set.ts';
import { forgetFolders, realPathOf } from './read-if-there.ts';
import { sweepTemporaries } from './temporary-names.ts';

export interface CompileTranslationsOptions
  extends Pick<
    PrepareOptions,
    'cwd' | 'useFuzzy' | 'onBadMessage' | 'isCheckOnly' | 'isForced' | 'maxDropPercent'
  > {
  /** Absolute folders and .po files. */
  roots: readonly string[];
  /** Only these locales; all when empty. */
  locales: readonly string[];
  excluded: readonly string[];
  /** More folders that a .mo file which is a symbolic link may lead into, besides the roots. */
  linkRoots?: readonly string[];
  /** True where a task named the roots: then no .po file may lead out of these folders either. */
  areSourcesBound?: boolean;
  /** Undefined where no database is configured: results are then worked out anew each time. */
  store: CatalogStateStore | undefined;
  /** Where what is replaced is kept for `undoTranslations`, and the lock is; undefined to do without. */
  keptDirectory: string | undefined;
  /** How to restart and check the application after a change; empty to leave it alone. */
  app: AppControls;
  /** Bytes of .po files from which a thread with bounded memory is worth its start. */
  threadFrom?: number;
  log: Log;
  progress: Progress;
  signal: AbortSignal;
}

/**
 * Compiles the catalogs under `roots` as one set: all are read, checked, compiled and verified before the first live
 * file is replaced, and when the application does not come back with the new ones, the old ones are. Where nothing
 * changed, no file is touched and nothing is restarted.
 *
 * A bad catalog is not thrown but reported (`failed`). With `fail` nothing is installed then; with `drop` the others
 * are, unless one would lose more messages than `maxDropPercent` allows, or all of them. A crash at any moment leaves every live .mo file whole, old or new.
 *
 * One run at a time installs; what a killed one has begun is finished.
 *
 * @throws TendError CATALOGS_BUSY, INPUT_MISSING, OUTPUT_UNWRITABLE, CHANGE_ROLLED_BACK, CHANGE_STUCK
 */
export async function compileTranslations(options: CompileTranslationsOptions): Promise<CompileReport> {
  const { progress, isCheckOnly, onBadMessage } = options;
  forgetFolders();
  using kept = isCheckOnly ? undefined : await openKept(options);
  const catalogs = await findCatalogs(options);
  if (catalogs.length === 0) options.log.warn(nothingFound(options));
  if (!isCheckOnly) sweepTemporaries(foldersOf(catalogs));
  const prepared: PreparedCatalog[] = [];
  try {
    await progress.step('Compile message catalogs', async (report) => {
      await prepareAll(catalogs, options, prepared, report);
    });
    for (const { report } of prepared.filter((catalog) => catalog.report.isForeign)) {
      options.log.warn(`"${report.output}" has been written by somebody else since it was installed.`);
    }
    const hasFailed = prepared.some(({ report }) => report.result === 'failed');
    const isBlocked = prepared.some(({ isBlocking }) => isBlocking) || (hasFailed && onBadMessage === 'fail');
    if (!isCheckOnly && !isBlocked) await installSet({ ...options, prepared, kept });
    else if ((await kept?.unfinished()) !== undefined) {
      options.log.warn(
        'A run that was killed has left new and old catalogs together. To go back to the old ones: tend compile-translations --undo',
      );
    }
    await remember(prepared, options);
    return summarize(prepared.map(({ report }) => report));
  } finally {
    await discard(prepared);
  }
}

/** A path or locale that was mistyped must not look like good catalogs. */
function nothingFound({ roots, locales, excluded }: CompileTranslationsOptions): string {
  const where = roots.map((root) => `"${root}"`).join(', ');
  const isFiltered = locales.length + excluded.length > 0;
  return `There is nothing to compile: no .po file${isFiltered ? ' of these locales' : ''} was found below ${where}.`;
}

/** Also those that .mo files which are links lead into. */
function foldersOf(catalogs: readonly FoundCatalog[]): string[] {
  return catalogs.map(({ output }) => dirname(realPathOf(output)));
}

/** A read-only place of the state must not keep the translations from being compiled. */
async function openKept({ keptDirectory, log }: CompileTranslationsOptions): Promise<KeptSets | undefined> {
  if (keptDirectory === undefined) return undefined;
  try {
    return await openKeptSets(keptDirectory);
  } catch (error) {
    if (error instanceof TendError) throw error;
    log.warn(`The message catalogs cannot be put back by --undo later: ${toError(error).message}`);
    return undefined;
  }
}

async function prepareAll(
  catalogs: readonly FoundCatalog[],
  options: CompileTranslationsOptions,
  prepared: PreparedCatalog[],
  report: (detail: string) => void,
): Promise<void> {
  const known = await loadKnown(options);
  const places = await linkPlaces([...options.roots, ...(options.linkRoots ?? [])]);
  const bounds = { places, areSourcesBound: options.areSourcesBound ?? false };
  await prepareSet(catalogs, { ...options, known, bounds, report }, prepared);
}

async function loadKnown({
  store,
  isCheckOnly,
  log,
}: CompileTranslationsOptions): Promise<ReadonlyMap<string, CatalogState>> {
  if (store === undefined || isCheckOnly) return new Map();
  try {
    return await store.load();
  } catch (error) {
    log.warn(`The state of the catalogs is not known, all are compiled: ${toError(error).message}`);
    return new Map();
  }
}

/** A catalog that was good but not installed, because of others, is not remembered: its live file is still the old one. */
async function remember(
  prepared: readonly PreparedCatalog[],
  options: CompileTranslationsOptions,
): Promise<void> {
  if (options.store === undefined || options.isCheckOnly) return;
  const states = prepared
    .filter(({ report, isKnown }) => report.result !== 'checked' && !isKnown)
    .map(({ state }) => state);
  if (states.length === 0) return;
  try {
    await options.store.save(states);
  } catch (error) {
    options.log.warn(`The state of the catalogs could not be kept: ${toError(error).message}`);
  }
}

async function discard(prepared: readonly PreparedCatalog[]): Promise<void> {
  await createCatalogSet(prepared.flatMap(({ staged }) => staged ?? [])).close();
}
