import { sql } from 'kysely';
import type { DoctorCheck } from './doctor-check.ts';

interface Rights {
  user: string;
  /** Who owns schema tend. */
  owner: string;
  /** Tables of schema tend that cannot be read and written. */
  missing: string[];
  seesSessions: boolean;
  signalsSessions: boolean;
}

/** The role may do what ticks do; and what it may not see of the server is said. */
export const checkPrivileges: DoctorCheck = {
  name: 'privileges',
  needs: 'schema',
  async run({ openDatabase, connection }) {
    const { rows } = await sql<Rights>`
      select current_user::text as "user",
             (select nspowner::regrole::text from pg_namespace where nspname = 'tend') as owner,
             array(select c.relname::text from pg_class c
                    where c.relnamespace = 'tend'::regnamespace and c.relkind in ('r', 'p')
                      and not (has_table_privilege(c.oid, 'SELECT') and has_table_privilege(c.oid, 'INSERT')
                               and has_table_privilege(c.oid, 'UPDATE') and has_table_privilege(c.oid, 'DELETE'))
                    order by 1) as missing,
             pg_has_role('pg_read_all_stats', 'USAGE') as "seesSessions",
             pg_has_role('pg_signal_backend', 'USAGE') as "signalsSessions"`.execute(await openDatabase());
    const [row] = rows;
    if (row === undefined) throw new Error('The server tells no privileges.');
    const { user, owner, missing, seesSessions, signalsSessions } = row;
    if (missing.length > 0)
      return {
        status: 'fail',
        text: `role "${user}" may not read and write ${missing.map((name) => `tend.${name}`).join(', ')}`,
        fix: `Connect as ${owner}, who owns schema "tend": user=${owner} in the settings from ${(await connection()).origin}`,
      };
    const limits = [
      ...(seesSessions ? [] : ["what other roles' sessions do is hidden (pg_read_all_stats)"]),
      ...(signalsSessions ? [] : ['it cannot end them (pg_signal_backend)']),
    ];
    const text = `role "${user}" may do what the ticks do`;
    return { status: 'ok', text: limits.length === 0 ? text : `${text}; ${limits.join(', and ')}` };
  },
};
