import { sql } from 'kysely';
import { describeConnection } from '../../connection/settings.ts';
import type { DoctorCheck } from './doctor-check.ts';

/** The database answers, and can be written to. */
export const checkDatabase: DoctorCheck = {
  name: 'database',
  needs: 'configuration',
  async run({ connection, openDatabase }) {
    const settings = await connection();
    const { rows } = await sql<{ version: string; user: string; isStandby: boolean }>`
      select current_setting('server_version') as version, current_user as user, pg_is_in_recovery() as "isStandby"`.execute(
      await openDatabase(),
    );
    const [row] = rows;
    const place = `${describeConnection(settings)} as "${row?.user}", PostgreSQL ${row?.version}`;
    if (row?.isStandby !== true) return { status: 'ok', text: place };
    return {
      status: 'fail',
      text: `${place}: it is a standby, and no tick can work there`,
      fix: `Name the primary too, with target_session_attrs=read-write; the settings come from ${settings.origin}`,
    };
  },
};
