import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { TendError } from '../errors.ts';

/** A .po file and what it is compiled to. All paths are absolute. */
export interface FoundCatalog {
  path: string;
  /** The .mo file beside it. */
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
const foreignFolders = new Set(['node_modules', 'site-packages', '__pycache__']);

/** The name of a locale as POSIX, ICU and Django write it. */
const localeName =
  /^[a-z]{2,3}(?:[_-][A-Za-z]{4})?(?:[_-](?:[A-Za-z]{2}|\d{3}))?(?:\.[A-Za-z0-9-]+)?(?:@[a-z0-9]+)?$/;

/**
 * Finds the catalogs under `roots`: `LOCALE/LC_MESSAGES/NAME.po` and `LOCALE.po`. Virtual environments, packages of
 * others and hidden folders are not entered unless one is itself a root; symbolic links to folders are not followed.
 * In the order of their paths, each once.
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
  signal.throwIfAborted();
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new TendError('INPUT_MISSING', `The folder "${folder}" cannot be read.`, { cause: error });
  });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!isForeign(path)) await search(path, found, signal);
    } else if (entry.name.endsWith('.po') && !entry.name.startsWith('.')) {
      const isRegular = entry.isFile() || (entry.isSymbolicLink() && (await isLinkToFile(path)));
      if (isRegular && isInKnownLayout(path)) found.push(toCatalog(path));
    }
  }
}

function isForeign(folder: string): boolean {
  const name = basename(folder);
  if (name.startsWith('.') || foreignFolders.has(name)) return true;
  return existsSync(join(folder, 'pyvenv.cfg')) || existsSync(join(folder, 'conda-meta'));
}

async function isLinkToFile(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() ?? false;
}

function isInKnownLayout(path: string): boolean {
  return basename(dirname(path)) === 'LC_MESSAGES' || localeName.test(basename(path, '.po'));
}

function toCatalog(path: string): FoundCatalog {
  const folder = dirname(path);
  const name = basename(path, '.po');
  const locale = basename(folder) === 'LC_MESSAGES' ? basename(dirname(folder)) : name;
  return { path, output: join(folder, `${name}.mo`), locale };
}

/** `pt-BR`, `pt_BR` and `pt_br` are one locale. */
function isSameLocale(a: string, b: string): boolean {
  const normal = (name: string) => name.replaceAll('-', '_').toLowerCase();
  return normal(a) === normal(b);
}
