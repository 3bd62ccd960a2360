import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { type ConfiguredSchedules, scheduleRows, schedulesFingerprint } from './schedules-fingerprint.ts';

/**
 * Brings the schedules of this host's tend.toml into the database: one that several hosts declare exists once, and goes
 * when the last of them withdraws it. A changed expression or zone is planned anew from now on; a person's `disable`
 * outlives it. One that was made by SQL under the same name is left as it is, with the conflict on its row.
 *
 * @returns names that were made by SQL and are not overwritten.
 */
export async function syncSchedules(options: {
  db: Kysely<Database>;
  schedules: ConfiguredSchedules;
  host: string;
}): Promise<string[]> {
  const { db, host } = options;
  const rows = scheduleRows(options.schedules);
  const conflict = `tend.toml of ${host} has one of this name, which is not used`;
  const isReplanned = sql`(s.cron, s.timezone) is distinct from (excluded.cron, excluded.timezone)`;
  const { rows: conflicts } = await sql<{ name: string }>`
    with given as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as g (
        name text, cron text, timezone text, kind text, payload jsonb, queue text, priority smallint, host text,
        catch_up text, max_late_ms float8, overlap text)
    ), declared as (
      insert into tend.schedules as s (name, source, declared_by, cron, timezone, kind, payload, queue, priority, host,
                                       catch_up, max_late, overlap)
      select name, 'config', array[${host}::text], cron, timezone, kind, payload, queue, priority, host, catch_up,
             max_late_ms * interval '1 ms', overlap
        from given
       where name <> all (array(select made.name from tend.schedules made where made.source = 'sql'))
       order by name
      on conflict (name) do update
        set cron = excluded.cron, timezone = excluded.timezone, kind = excluded.kind, payload = excluded.payload,
            queue = excluded.queue, priority = excluded.priority, host = excluded.host, catch_up = excluded.catch_up,
            max_late = excluded.max_late, overlap = excluded.overlap, problem = null,
            declared_by = array(select distinct unnest(s.declared_by || excluded.declared_by) order by 1),
            next_slot = case when ${isReplanned} then '-infinity' else s.next_slot end,
            defined_at = case when ${isReplanned} then now() else s.defined_at end
      where s.source = 'config'
    ), withdrawn as (
      update tend.schedules set declared_by = array_remove(declared_by, ${host})
       where ${host} = any(declared_by) and cardinality(declared_by) > 1
         and name <> all (array(select name from given))
    ), removed as (
      delete from tend.schedules
       where declared_by = array[${host}::text] and name <> all (array(select name from given))
    ), noted as (
      update tend.hosts set schedules_fingerprint = ${schedulesFingerprint(options.schedules)} where host = ${host}
    ), conflicting as (
      update tend.schedules s set conflict = ${conflict} from given g where s.name = g.name and s.source = 'sql'
      returning s.name
    ), resolved as (
      update tend.schedules set conflict = null
       where conflict = ${conflict} and name <> all (array(select name from given))
    )
    select name from conflicting order by name`.execute(db);
  return conflicts.map(({ name }) => name);
}
