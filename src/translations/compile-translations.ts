import { dirname } from 'node:path';
import type { AppControls } from '../app/app-controls.ts';
import { changeAppSafely } from '../app/change-app-safely.ts';
import { toError } from '../errors.ts';
import type { Log, Progress } from '../log.ts';
import type { CatalogState, CatalogStateStore } from './catalog-state.ts';
import { type CompileReport, summarize } from './compile-report.ts';
import { type FoundCatalog, findCatalogs } from './find-catalogs.ts';
import { createCatalogSet } from './install-catalogs.ts';
import { linkPlaces } from './link-bounds.ts';
import { type PreparedCatalog, type PrepareOptions, prepareCatalog } from './prepare-catalog.ts';
import { sweepTemporaries } from './temporary-names.ts';
import { loadMoParser } from './verify-mo.ts';

export interface CompileTranslationsOptions
  extends Pick<PrepareOptions, 'cwd' | 'useFuzzy' | 'onBadMessage' | 'isCheckOnly' | 'isForced'> {
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
  /** How to restart and check the application after a change; empty to leave it alone. */
  app: AppControls;
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
 * are. A crash at any moment leaves every live .mo file whole, old or new.
 *
 * @throws TendError INPUT_MISSING, OUTPUT_UNWRITABLE, CHANGE_ROLLED_BACK, CHANGE_STUCK
 */
export async function compileTranslations(options: CompileTranslationsOptions): Promise<CompileReport> {
  const { progress, isCheckOnly, onBadMessage } = options;
  const catalogs = await findCatalogs(options);
  if (!isCheckOnly) await sweepTemporaries(catalogs.map(({ output }) => dirname(output)));
  const prepared: PreparedCatalog[] = [];
  try {
    await progress.step('Compile message catalogs', async (report) => {
      await prepareAll(catalogs, options, prepared, report);
    });
    const hasFailed = prepared.some(({ report }) => report.result === 'failed');
    const isInstalling = !isCheckOnly && !(hasFailed && onBadMessage === 'fail');
    if (isInstalling) await install(prepared, options);
    await remember(prepared, options);
    return summarize(prepared.map(({ report }) => report));
  } finally {
    await discard(prepared);
  }
}

async function prepareAll(
  catalogs: readonly FoundCatalog[],
  options: CompileTranslationsOptions,
  prepared: PreparedCatalog[],
  report: (detail: string) => void,
): Promise<void> {
  const parse = await loadMoParser();
  const known = await loadKnown(options);
  const places = await linkPlaces([...options.roots, ...(options.linkRoots ?? [])]);
  const bounds = { places, areSourcesBound: options.areSourcesBound ?? false };
  for (const catalog of catalogs) {
    options.signal.throwIfAborted();
    report(`${prepared.length + 1} of ${catalogs.length}`);
    prepared.push(await prepareCatalog(catalog, { ...options, known, parse, bounds }));
  }
}

async function install(
  prepared: readonly PreparedCatalog[],
  options: CompileTranslationsOptions,
): Promise<void> {
  const changed = prepared.filter((catalog) => catalog.staged !== undefined);
  const staged = changed.flatMap((catalog) => catalog.staged ?? []);
  if (staged.length === 0) return;
  const set = createCatalogSet(staged);
  const { app, log, signal } = options;
  try {
    await changeAppSafely({
      ...app,
      subject: 'The message catalogs',
      apply: async () => await set.apply(),
      undo: async () => await set.undo(),
      log,
      signal,
    });
  } finally {
    await set.close();
  }
  for (const { report } of changed) report.result = 'installed';
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
  const states = prepared.filter(({ report }) => report.result !== 'checked').map(({ state }) => state);
  try {
    await options.store.save(states);
  } catch (error) {
    options.log.warn(`The state of the catalogs could not be kept: ${toError(error).message}`);
  }
}

async function discard(prepared: readonly PreparedCatalog[]): Promise<void> {
  await createCatalogSet(prepared.flatMap(({ staged }) => staged ?? [])).close();
}
