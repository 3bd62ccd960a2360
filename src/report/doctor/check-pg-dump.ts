import { sql } from 'kysely';
import { findPostgresProgram } from '../../backups/tools/find-postgres-program.ts';
import { TendError } from '../../errors.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** pg_dump is there in the version of the server: nothing else makes a backup that can be restored there. */
export const checkPgDump: DoctorCheck = {
  name: 'pg-dump',
  needs: 'database',
  async run({ openDatabase, loadedConfig, env, signal }) {
    const { rows } = await sql<{ major: number }>`
      select current_setting('server_version_num')::int / 10000 as major`.execute(await openDatabase());
    const major = rows[0]?.major ?? 0;
    const { directory, tools_directory } = loadedConfig.config.backup;
    try {
      const found = await findPostgresProgram({
        name: 'pg_dump',
        major,
        toolsDirectory: tools_directory,
        env,
        signal,
      });
      return { status: 'ok', text: `${found.path}, ${found.version}` };
    } catch (error) {
      if (!(error instanceof TendError) || error.code !== 'TOOL_NOT_FOUND') throw error;
      // Where this host takes no backups it is only missed by a restore in place.
      return { status: directory === undefined ? 'warn' : 'fail', text: error.message, fix: error.hint };
    }
  },
};
