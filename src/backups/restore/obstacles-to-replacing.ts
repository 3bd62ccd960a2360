import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import type { Obstacle } from './restore-obstacles.ts';

/** What keeps a database from being renamed: each would make the cut-over wait, and then fail. */
export async function obstaclesToReplacing(options: {
  maintenance: Kysely<Database>;
  target: string;
}): Promise<Obstacle[]> {
  const { maintenance, target } = options;
  const { rows } = await sql<Obstacle>`
    select 'prepared transaction "' || gid || '" is open in it' as what,
           format('rollback prepared %L; or commit it, in database "%s"', gid, database) as fix
      from pg_catalog.pg_prepared_xacts where database = ${target}
    union all
    select 'replication slot "' || slot_name || '" belongs to it',
           format('select pg_drop_replication_slot(%L)', slot_name)
      from pg_catalog.pg_replication_slots where database = ${target}
    union all
    select 'subscription "' || s.subname || '" belongs to it', format('drop subscription %I, in that database', s.subname)
      from pg_catalog.pg_subscription s join pg_catalog.pg_database d on d.oid = s.subdbid where d.datname = ${target}
    union all
    select 'session ' || a.pid || ' of role "' || a.usename || '"' || coalesce(' (' || nullif(a.application_name, '') || ')', '')
           || ' cannot be ended by role "' || current_user || '"',
           case when r.rolsuper then 'end it, or restore as a superuser'
             else format('grant pg_signal_backend to %I', current_user) end
      from pg_catalog.pg_stat_activity a join pg_catalog.pg_roles r on r.oid = a.usesysid,
           (select rolsuper from pg_catalog.pg_roles where rolname = current_user) me
     where a.datname = ${target} and not me.rolsuper and (r.rolsuper
       or not (pg_catalog.pg_has_role(r.oid, 'MEMBER') or pg_catalog.pg_has_role('pg_signal_backend', 'MEMBER')))
  `.execute(maintenance);
  return rows;
}
