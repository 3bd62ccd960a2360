import { type Dirent, existsSync, readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { TendError } from '../errors.ts';

/** A .po file and what it is compiled to. All paths are absolute. */
export interface FoundCatalog {
  path: string;
  /** The .mo file, beside it but for `locale/LOCALE/NAME.po`. */
  output: string;
  /** `pl`, `pt_BR`, `sr@latin`; the file's own name where nothing says which. */
  locale: string;
}

export interface FindCatalogsOptions {
  /** Absolute folders, which are searched, and .po files, which are taken as they are. */
  roots: readonly string[];
  /** Only these locales; all when empty. */
  locales: readonly string[];
  /** Not these locales; wins over `locales`. */
  excluded: readonly string[];
  signal: AbortSignal;
}

/** Folders that hold other people's catalogs: compiling those has broken deployments for a fault in a dependency. */
const foreignFolders = new Set(['node_modules', 'site-packages', 'dist-packages', 'vendor', '__pycache__']);

/** The name of a locale as POSIX, ICU and Django write it. */
const localeName =
  /^[a-z]{2,3}(?:[_-][A-Za-z]{4})?(?:[_-](?:[A-Za-z]{2}|\d{3}))?(?:\.[A-Za-z0-9-]+)?(?:@[a-z0-9]+)?$/;

/** WordPress: `NAME-xx_XX.po` and `NAME-xx.po` in a folder of these names. */
const prefixedName = /^.+-(?<locale>[a-z]{2,3}(?:_[A-Z]{2})?(?:_(?:in)?formal|_ao90)?(?:@[a-z0-9]+)?)$/;
const prefixedFolders = new Set(['languages', 'lang']);

/** Rails: `LOCALE/NAME.po` in a folder of these names. */
const localeFolders = new Set(['locale', 'locales']);

/**
 * Finds the catalogs under `roots`: `LOCALE/LC_MESSAGES/NAME.po`, `LOCALE.po`, `languages/NAME-LOCALE.po` and
 * `locale/LOCALE/NAME.po`. Virtual environments, packages of others and hidden folders are not entered unless one is
 * itself a root; symbolic links to folders are not followed. In the order of their paths, each once.
 *
 * @throws TendError INPUT_MISSING for a root that is not there.
 */
export async function findCatalogs(options: FindCatalogsOptions): Promise<FoundCatalog[]> {
  const found = new Map<string, FoundCatalog>();
  for (const root of options.roots.map((path) => resolve(path))) {
    for (const catalog of await catalogsUnder(root, options.signal)) found.set(catalog.path, catalog);
  }
  return [...found.values()]
    .filter(
      ({ locale }) =>
        options.locales.length === 0 || options.locales.some((name) => isSameLocale(name, locale)),
    )
    .filter(({ locale }) => !options.excluded.some((name) => isSameLocale(name, locale)))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function catalogsUnder(root: string, signal: AbortSignal): Promise<FoundCatalog[]> {
  const stats = await stat(root).catch((error: unknown) => {
    throw new TendError(
      'INPUT_MISSING',
      `"${root}" cannot be read: it does not exist, or a folder above it is closed.`,
      {
        cause: error,
        isPermanent: true,
      },
    );
  });
  if (stats.isFile()) return [toCatalog(root)];
  const found: FoundCatalog[] = [];
  await search(root, found, signal);
  return found;
}

async function search(folder: string, found: FoundCatalog[], signal: AbortSignal): Promise<void> {
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.length % 64 === 0) await setImmediate(undefined, { signal }); // so that signals are heard
    const entries = entriesOf(next);
    if (next !== folder && isEnvironment(entries)) continue;
    for (const entry of entries) {
      const { name } = entry;
      if (entry.isDirectory()) {
        if (!name.startsWith('.') && !foreignFolders.has(name)) waiting.push(join(next, name));
      } else if (name.endsWith('.po') && !name.startsWith('.')) {
        const path = join(next, name);
        const isRegular = entry.isFile() || (entry.isSymbolicLink() && (await isLinkToFile(path)));
        if (isRegular && localeOf(path) !== undefined) found.push(toCatalog(path));
      }
    }
  }
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw new TendError('INPUT_MISSING', `The folder "${folder}" cannot be read.`, { cause: error });
  }
}

/** Of Python's packages, or conda's. */
function isEnvironment(entries: readonly Dirent[]): boolean {
  return entries.some(({ name }) => name === 'pyvenv.cfg' || name === 'conda-meta');
}

async function isLinkToFile(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() ?? false;
}

/** The locale by the layout that the file is in; undefined where it is in none. */
function localeOf(path: string): string | undefined {
  const folder = dirname(path);
  const name = basename(path, '.po');
  if (basename(folder) === 'LC_MESSAGES') return basename(dirname(folder));
  // Three letters may be any word: of `locale/pl/app.po` and `locale/app/pl.po` both are of the locale pl.
  const isFolder = isLocaleFolder(folder);
  if (localeName.test(name) && !(isFolder && basename(folder).length !== 3)) return name;
  if (prefixedFolders.has(basename(folder))) return prefixedName.exec(name)?.groups?.['locale'];
  return isFolder ? basename(folder) : undefined;
}

function isLocaleFolder(folder: string): boolean {
  return localeName.test(basename(folder)) && localeFolders.has(basename(dirname(folder)));
}

function toCatalog(path: string): FoundCatalog {
  const name = basename(path, '.po');
  return { path, output: join(outputFolder(path), `${name}.mo`), locale: localeOf(path) ?? name };
}

/** Where FastGettext, which reads `locale/LOCALE/NAME.po`, looks for .mo files, if there is such a folder. */
function outputFolder(path: string): string {
  const folder = dirname(path);
  const inner = join(folder, 'LC_MESSAGES');
  return isLocaleFolder(folder) && existsSync(inner) ? inner : folder;
}

/** `pt-BR`, `pt_BR`, `pt_br` and `pt_BR.UTF-8` are one locale. */
function isSameLocale(a: string, b: string): boolean {
  const normal = (name: string) =>
    name
      .replace(/\.[^@]*/, '')
      .replaceAll('-', '_')
      .toLowerCase();
  return normal(a) === normal(b);
}
