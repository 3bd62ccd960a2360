import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { TendError } from '../../errors.ts';
import { runTool } from '../../processes/run-tool.ts';

export interface PostgresProgram {
  path: string;
  /** As it says itself: `pg_dump (PostgreSQL) 15.18`. */
  version: string;
}

export interface FindPostgresProgramOptions {
  name: 'pg_dump' | 'pg_dumpall' | 'pg_restore' | 'psql' | 'vacuumdb';
  /** Of the server: an older client refuses it, a newer one writes what it cannot load. */
  major: number;
  /** `[backup] tools_directory`: where it is set, nowhere else is looked. */
  toolsDirectory: string | undefined;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/**
 * Finds the client program of one major version: in the places where packages keep several side by side, then on
 * PATH. Each candidate is asked for its version.
 *
 * @throws TendError TOOL_NOT_FOUND naming the package that has it.
 */
export async function findPostgresProgram(options: FindPostgresProgramOptions): Promise<PostgresProgram> {
  const { name, major, toolsDirectory, env, signal } = options;
  const directories = toolsDirectory === undefined ? standardPlaces(major, env) : [toolsDirectory];
  const others: string[] = [];
  for (const path of directories.map((directory) => join(directory, name)).filter(isExecutable)) {
    const version = await versionOf(path, env, signal);
    if (majorOf(version) === major) return { path, version };
    others.push(`${path} is "${version}"`);
  }
  const found = others.length === 0 ? '' : ` (${others.join('; ')})`;
  const where = toolsDirectory === undefined ? '' : ` in "${toolsDirectory}"`;
  throw new TendError('TOOL_NOT_FOUND', `No "${name}" of PostgreSQL ${major} was found${where}${found}.`, {
    hint: `Install it: apt-get install postgresql-client-${major} (Debian), brew install postgresql@${major} (macOS); or set [backup] tools_directory in tend.toml.`,
    isPermanent: true,
  });
}

/** Debian, Red Hat, Homebrew (two places), Postgres.app, then PATH. */
function standardPlaces(major: number, env: NodeJS.ProcessEnv): string[] {
  const onPath = (env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin')
    .split(delimiter)
    .filter((entry) => entry !== '');
  return [
    `/usr/lib/postgresql/${major}/bin`,
    `/usr/pgsql-${major}/bin`,
    `/opt/homebrew/opt/postgresql@${major}/bin`,
    `/usr/local/opt/postgresql@${major}/bin`,
    `/Applications/Postgres.app/Contents/Versions/${major}/bin`,
    ...onPath,
  ];
}

async function versionOf(path: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  const { stdout } = await runTool({
    file: path,
    args: ['--version'],
    baseEnv: env,
    stdout: 'capture',
    signal,
    timeoutMs: 30_000,
  });
  return stdout.trim();
}

/** `15` of `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, also of `16beta1`. */
function majorOf(version: string): number | undefined {
  const found = /\(PostgreSQL\) (\d+)/.exec(version)?.[1];
  return found === undefined ? undefined : Number(found);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
