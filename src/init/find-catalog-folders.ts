import { basename, dirname, relative } from 'node:path';
import { findCatalogs } from '../translations/find-catalogs.ts';
import type { Finding } from './finding.ts';

export interface FindCatalogFoldersOptions {
  folder: string;
  signal: AbortSignal;
}

/** The folders that hold the application's message catalogs, relative to its own; undefined where there are none. */
export async function findCatalogFolders({
  folder,
  signal,
}: FindCatalogFoldersOptions): Promise<Finding<string[]> | undefined> {
  const catalogs = await findCatalogs({ roots: [folder], locales: [], excluded: [], signal });
  if (catalogs.length === 0) return undefined;
  const folders = [...new Set(catalogs.map(({ path, locale }) => folderOf(path, locale)))].sort();
  const value = folders
    .filter((path) => !folders.some((other) => other !== path && path.startsWith(`${other}/`)))
    .map((path) => relative(folder, path) || '.');
  const locales = [...new Set(catalogs.map(({ locale }) => locale))].sort();
  const [some, more] = [locales.slice(0, 8), locales.length > 8 ? ', …' : ''];
  const why = `Message catalogs are there: ${catalogs.length}, for ${some.join(', ')}${more}.`;
  return { value, why };
}

/** Above `LOCALE/LC_MESSAGES/NAME.po` and `LOCALE/NAME.po`; where `LOCALE.po` is. */
function folderOf(path: string, locale: string): string {
  const folder = dirname(path);
  if (basename(folder) === 'LC_MESSAGES') return dirname(dirname(folder));
  return basename(folder) === locale ? dirname(folder) : folder;
}
