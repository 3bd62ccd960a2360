import { basename, join } from 'node:path';

/** Where a quickstart keeps its things, below the working directory. */
export interface QuickstartPlaces {
  /** `.tend` of the working directory. */
  root: string;
  /** The demo site: tend.toml, catalogs, SQL, backups, mail. */
  demo: string;
  /** The server's directory, where its user can get there and a socket's path is short enough. */
  postgres: string;
  /** Says who is at work here and where the server is. */
  stateFile: string;
}

export function quickstartPlaces(cwd: string): QuickstartPlaces {
  const root = join(cwd, '.tend');
  return {
    root,
    demo: join(root, 'demo'),
    postgres: join(root, 'postgres'),
    stateFile: join(root, 'quickstart.json'),
  };
}

/** How the directory of a server begins that cannot be under `.tend`; six random characters follow. */
export const elsewherePrefix = 'tend-quickstart-';

/**
 * Whether a directory is one that a quickstart made for its server. What a state file says is checked with it before
 * anything is removed: the file may be anybody's, and root may be reading it.
 */
export function isServerDirectory(places: QuickstartPlaces, directory: string): boolean {
  return directory === places.postgres || /^tend-quickstart-[A-Za-z0-9]{6}$/.test(basename(directory));
}

export const port = 5432;

/** Where the server of `directory` listens. */
export function socketFile(directory: string): string {
  return join(directory, `.s.PGSQL.${port}`);
}
