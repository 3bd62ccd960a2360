import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, relative, sep } from 'node:path';
import type { FoundCatalog } from './find-catalogs.ts';

/** How far symbolic links are followed: a .mo file may be a link, and who compiles may be root. */
export interface LinkBounds {
  /** Real paths of folders. */
  places: readonly string[];
  /** True where the sources, too, must lie in there. */
  areSourcesBound: boolean;
}

/**
 * Real paths of the folders that links may lead into: a root that is a file stands for its folder. What is not there
 * is left out.
 */
export async function linkPlaces(roots: readonly string[]): Promise<string[]> {
  const places: string[] = [];
  for (const root of roots) {
    const stats = await stat(root).catch(() => undefined);
    if (stats !== undefined) places.push(await realpath(stats.isFile() ? dirname(root) : root));
  }
  return places;
}

/** Whether a path lies in one of the places, or is one; all of them real paths. */
export function isInside(path: string, places: readonly string[]): boolean {
  return places.some((place) => {
    const way = relative(place, path);
    return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
  });
}

export interface StrayLinkOptions {
  catalog: FoundCatalog;
  /** Real paths of the two files. */
  source: string;
  output: string;
  bounds: LinkBounds;
}

/** What is wrong with where the files of a catalog lead, or undefined. */
export function strayLink({ catalog, source, output, bounds }: StrayLinkOptions): string | undefined {
  const outside = 'outside of the folders that are searched';
  if (bounds.areSourcesBound && !isInside(source, bounds.places)) {
    return `the catalog is a link to ${source}, ${outside}`;
  }
  if (output === catalog.output || isInside(output, bounds.places)) return undefined;
  return `${basename(catalog.output)} is a link to ${output}, ${outside}`;
}
