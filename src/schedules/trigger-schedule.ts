import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { requireSchedule } from './change-schedule.ts';

/**
 * Enqueues what the schedule enqueues, now, besides its occurrences: those go on as planned. Works while it is disabled,
 * since a person asked for it. One task for each host where the schedule has `host = "*"`.
 *
 * @returns ids of the tasks.
 * @throws TendError SCHEDULE_NOT_FOUND.
 */
export async function triggerSchedule(options: { db: Kysely<Database>; name: string }): Promise<number[]> {
  const { db, name } = options;
  await requireSchedule(options);
  const { rows } = await sql<{ id: number }>`
    insert into tend.tasks (kind, payload, queue, priority, host, mutex, max_attempts, on_lost, schedule)
    select s.kind, s.payload, s.queue, s.priority, t.on_host,
           coalesce(k.mutex, left(concat_ws('@', 'schedule:' || s.name, t.on_host), 200)),
           coalesce(k.max_attempts, 5), coalesce(k.on_lost, 'retry'), s.name
      from tend.schedules s left join tend.kinds k on k.kind = s.kind
     cross join lateral (
       select h.host as on_host from tend.hosts h where s.host = '*' and h.last_tick_at > now() - interval '7 days'
       union all select s.host where s.host is distinct from '*') t
     where s.name = ${name}
     order by t.on_host
    returning id`.execute(db);
  return rows.map(({ id }) => id);
}
