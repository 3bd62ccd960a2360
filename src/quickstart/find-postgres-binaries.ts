import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { TendError } from '../errors.ts';

const needed = ['initdb', 'postgres', 'pg_ctl', 'psql', 'pg_dump', 'pg_restore'];

/**
 * The directory that holds PostgreSQL's server and client programs together: that of `initdb` on the search path
 * (links followed, since Debian and Homebrew link single programs), then Debian's, Red Hat's and Homebrew's places,
 * newest version first.
 *
 * @throws TendError TOOL_NOT_FOUND saying what to install.
 */
export function findPostgresBinaries(options: { searchPath: string | undefined }): string {
  const found = candidates(options.searchPath ?? '').find((directory) =>
    needed.every((name) => isExecutable(join(directory, name))),
  );
  if (found !== undefined) return found;
  throw new TendError(
    'TOOL_NOT_FOUND',
    `PostgreSQL (${needed.join(', ')}) was found neither on PATH nor where packages put it.`,
    {
      hint: 'Install server and client: apt-get install postgresql (Debian), brew install postgresql (macOS).',
      isPermanent: true,
    },
  );
}

function candidates(searchPath: string): string[] {
  const onPath = searchPath
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, 'initdb'))
    .filter(isExecutable)
    .map((program) => dirname(realpathSync(program)));
  const homebrew = ['/opt/homebrew/opt', '/usr/local/opt', '/home/linuxbrew/.linuxbrew/opt'];
  return [
    ...onPath,
    ...versionsIn('/usr/lib/postgresql', /^(\d+)$/),
    ...versionsIn('/usr', /^pgsql-(\d+)$/),
    ...homebrew.flatMap((directory) => versionsIn(directory, /^postgresql@?(\d*)$/)),
  ];
}

/** `bin` directories of the versions installed below `directory`, newest first. */
function versionsIn(directory: string, pattern: RegExp): string[] {
  return namesIn(directory)
    .flatMap((name) => {
      const version = pattern.exec(name)?.[1];
      return version === undefined ? [] : [{ name, version: Number(version) }];
    })
    .sort((a, b) => b.version - a.version)
    .map(({ name }) => join(directory, name, 'bin'));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
