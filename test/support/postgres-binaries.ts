import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

const needed = ['initdb', 'postgres', 'pg_ctl', 'psql', 'pg_dump', 'pg_restore'];

/** The directory that holds PostgreSQL's server and client programs: PATH first, then Debian's and Homebrew's places. */
export function findPostgresBinaries(): string {
  const found = candidates().find((directory) => needed.every((name) => isExecutable(join(directory, name))));
  if (found !== undefined) return found;
  throw new Error(
    'The tests need PostgreSQL (initdb, postgres, psql, pg_dump …) and found none. ' +
      'Run bin/setup, or install it: apt-get install postgresql (Debian), brew install postgresql (macOS).',
  );
}

function candidates(): string[] {
  const onPath = (process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  const behindLinks = onPath
    .map((directory) => join(directory, 'initdb'))
    .filter(isExecutable)
    .map((program) => dirname(realpathSync(program)));
  return [...behindLinks, ...versionsIn('/usr/lib/postgresql', /^(\d+)$/), ...homebrew()];
}

function homebrew(): string[] {
  return ['/opt/homebrew/opt', '/usr/local/opt', '/home/linuxbrew/.linuxbrew/opt'].flatMap((directory) =>
    versionsIn(directory, /^postgresql@?(\d*)$/),
  );
}

/** `bin` directories of the versions installed below `directory`, newest first. */
function versionsIn(directory: string, pattern: RegExp): string[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  return names
    .flatMap((name) => {
      const version = pattern.exec(name)?.[1];
      return version === undefined ? [] : [{ name, version: Number(version) }];
    })
    .sort((a, b) => b.version - a.version)
    .map(({ name }) => join(directory, name, 'bin'));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
