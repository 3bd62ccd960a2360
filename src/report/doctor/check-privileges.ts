import { sql } from 'kysely';
import type { DoctorCheck } from './doctor-check.ts';

interface Rights {
  user: string;
  /** The role as a statement names it. */
  quotedUser: string;
  /** Tables of schema tend that cannot be read and written, and who owns the first of them. */
  missing: string[];
  owner: string | null;
  seesSessions: boolean;
  signalsSessions: boolean;
}

/** The role may do what ticks do; and what it may not see of the server is said. */
export const checkPrivileges: DoctorCheck = {
  name: 'privileges',
  needs: 'schema',
  async run({ openDatabase, connection }) {
    const { rows } = await sql<Rights>`
      with missing as (
        select c.relname::text as name, pg_get_userbyid(c.relowner)::text as owner from pg_class c
         where c.relnamespace = 'tend'::regnamespace and c.relkind in ('r', 'p')
           and not (has_table_privilege(c.oid, 'SELECT') and has_table_privilege(c.oid, 'INSERT')
                    and has_table_privilege(c.oid, 'UPDATE') and has_table_privilege(c.oid, 'DELETE')))
      select current_user::text as "user", quote_ident(current_user) as "quotedUser",
             array(select name from missing order by name) as missing,
             (select owner from missing order by name limit 1) as owner,
             pg_has_role('pg_read_all_stats', 'USAGE') as "seesSessions",
             pg_has_role('pg_signal_backend', 'USAGE') as "signalsSessions"`.execute(await openDatabase());
    const [row] = rows;
    if (row === undefined) throw new Error('The server tells no privileges.');
    const { user, quotedUser, owner, missing, seesSessions, signalsSessions } = row;
    if (missing.length > 0)
      return {
        status: 'fail',
        text: `role "${user}" may not read and write ${missing.map((name) => `tend.${name}`).join(', ')}`,
        // an owner from whom rights were taken may give them back to himself
        fix:
          owner === user
            ? `psql: grant select, insert, update, delete on all tables in schema tend to ${quotedUser}`
            : `Connect as ${owner}, who owns ${missing.length === 1 ? 'it' : 'them'}: user=${owner} in the settings from ${(await connection()).origin}`,
      };
    const limits = [
      ...(seesSessions ? [] : ["what other roles' sessions do is hidden (pg_read_all_stats)"]),
      ...(signalsSessions ? [] : ['it cannot end them (pg_signal_backend)']),
    ];
    const text = `role "${user}" may do what the ticks do`;
    return { status: 'ok', text: limits.length === 0 ? text : `${text}; ${limits.join(', and ')}` };
  },
};
