import { sql } from 'kysely';
import { findPostgresProgram } from '../../backups/tools/find-postgres-program.ts';
import { TendError } from '../../errors.ts';
import type { DoctorCheck } from './doctor-check.ts';
import { findVersionProblem } from './fixed-minors.ts';

/**
 * The client programs of the server's major have no hole that is known: what a dump contains is code, and a server can
 * attack who dumps it. tend itself never restores by way of psql; a person in a hurry does.
 */
export const checkClientVersions: DoctorCheck = {
  name: 'client-versions',
  needs: 'database',
  async run({ openDatabase, loadedConfig, env, signal }) {
    const { rows } = await sql<{ major: number }>`
      select current_setting('server_version_num')::int / 10000 as major`.execute(await openDatabase());
    const major = rows[0]?.major ?? 0;
    const toolsDirectory = loadedConfig.config.backup.tools_directory;
    const problems: string[] = [];
    for (const name of ['pg_dump', 'pg_restore', 'psql'] as const) {
      const found = await findPostgresProgram({ name, major, toolsDirectory, env, signal }).catch(ifMissing);
      const problem = found === undefined ? undefined : findVersionProblem(found.version);
      if (found !== undefined && problem !== undefined)
        problems.push(`${found.path}, ${found.version}: ${problem}`);
    }
    if (problems.length === 0)
      return { status: 'ok', text: 'no hole is known in pg_dump, pg_restore and psql' };
    return {
      status: 'warn',
      text: problems.join('; '),
      fix: `apt-get update && apt-get install --only-upgrade postgresql-client-${major}`,
    };
  },
};

/** That pg_dump is missing is said by a check of its own. */
function ifMissing(error: unknown): undefined {
  if (!(error instanceof TendError) || error.code !== 'TOOL_NOT_FOUND') throw error;
}
