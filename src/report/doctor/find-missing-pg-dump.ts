import { dirname } from 'node:path';
import { sql } from 'kysely';
import { findPostgresProgram } from '../../backups/tools/find-postgres-program.ts';
import { TendError } from '../../errors.ts';
import type { CronTrouble } from './compare-surroundings.ts';
import type { DoctorFacts } from './doctor-check.ts';

/** The server's pg_dump is found here by PATH alone, and not by cron's. Without the database its version is not known. */
export async function findMissingPgDump(
  { loadedConfig, openDatabase, env, signal }: DoctorFacts,
  searchPath: string,
): Promise<CronTrouble[]> {
  const { directory, tools_directory: toolsDirectory } = loadedConfig.config.backup;
  if (toolsDirectory !== undefined) return [];
  const major = await findMajor(openDatabase);
  if (major === undefined) return [];
  const find = (where: NodeJS.ProcessEnv) =>
    findPostgresProgram({ name: 'pg_dump', major, toolsDirectory, env: where, signal }).catch(ifMissing);
  const [here, there] = [await find(env), await find({ PATH: searchPath })];
  if (here === undefined || there !== undefined) return [];
  return [
    {
      // Where this host takes no backups it is only missed by a restore in place.
      status: directory === undefined ? 'warn' : 'fail',
      text: `pg_dump of PostgreSQL ${major}, ${here.path}, is not on the PATH of cron (${searchPath})`,
      fix: `[backup] tools_directory = ${JSON.stringify(dirname(here.path))} in tend.toml`,
    },
  ];
}

/** Why it does not answer is said by a check of its own. */
async function findMajor(openDatabase: DoctorFacts['openDatabase']): Promise<number | undefined> {
  try {
    const { rows } = await sql<{ major: number }>`
      select current_setting('server_version_num')::int / 10000 as major`.execute(await openDatabase());
    return rows[0]?.major;
  } catch {
    return undefined;
  }
}

function ifMissing(error: unknown): undefined {
  if (!(error instanceof TendError) || error.code !== 'TOOL_NOT_FOUND') throw error;
}
