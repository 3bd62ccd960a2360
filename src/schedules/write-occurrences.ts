import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import type { DueSchedule } from './find-due-schedules.ts';
import type { OccurrencePlan } from './plan-occurrences.ts';

export interface ScheduleToWrite {
  schedule: DueSchedule;
  plan: OccurrencePlan;
}

export interface WrittenOccurrences {
  name: string;
  enqueued: number;
  /** Left out because the one before was not over. */
  skipped: number;
  /** Left out because a later one is due as well. */
  superseded: number;
  missed: number;
}

/**
 * Moves schedules on and enqueues their occurrences, in one statement. Two ticks may do so at once: the compare-and-set
 * on `next_slot` lets one of them through (the other waits for its commit and then finds another value), and the unique
 * index on schedule and slot holds where the table was edited. A schedule that was changed, disabled or removed since
 * it was read is left to the next tick.
 *
 * `overlap = skip` leaves an occurrence out while an earlier one waits or runs; one that is held does not stand in the
 * way of the next. Occurrences of one schedule never run side by side: without a mutex of the kind's they share one.
 *
 * @returns a row for each schedule that this call moved on.
 */
export async function writeOccurrences(options: {
  db: Kysely<Database>;
  schedules: readonly ScheduleToWrite[];
}): Promise<WrittenOccurrences[]> {
  const { rows } = await sql<WrittenOccurrences>`
    with given as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(options.schedules.map(toRow))}::jsonb) as g (
        name text, cron text, timezone text, old_slot timestamptz, new_slot timestamptz, last_slot timestamptz,
        occurrences jsonb)
    ), won as (
      update tend.schedules s
         set next_slot = coalesce(g.new_slot, 'infinity'), last_slot = coalesce(g.last_slot, s.last_slot), problem = null
        from given g
       where s.name = g.name and s.enabled and (s.cron, s.timezone) = (g.cron, g.timezone)
         and s.next_slot = coalesce(g.old_slot, '-infinity')
      returning s.*, g.occurrences
    ), placed as (
      select w.*, o.slot_at, o.reason, case when w.host = '*' then h.host else w.host end as on_host
        from won w
        cross join lateral jsonb_to_recordset(w.occurrences) as o (slot_at timestamptz, reason text)
        left join tend.hosts h on w.host = '*' and h.last_tick_at > now() - interval '7 days'
    ), judged as (
      select p.*, coalesce(p.reason,
               'skipped: task ' || b.id || case when b.slot_at is null then '' else ' of ' || b.slot_at end
                 || ' is still ' || b.state || ', and overlap is skip') as why_not
        from placed p left join lateral (
          select t.id, t.state, t.slot_at from tend.tasks t
           where t.schedule = p.name and t.state in ('waiting', 'running')
             and (p.host is distinct from '*' or t.host is not distinct from p.on_host)
           order by t.id limit 1) b on p.reason is null and p.overlap = 'skip'
    ), born as (
      insert into tend.tasks (kind, payload, queue, priority, run_at, host, mutex, max_attempts, on_lost, schedule,
                              slot_at, state, reason, finished_at)
      select j.kind, j.payload, j.queue, j.priority, j.slot_at, j.on_host,
             coalesce(k.mutex, left(concat_ws('@', 'schedule:' || j.name, j.on_host), 200)),
             coalesce(k.max_attempts, 5), coalesce(k.on_lost, 'retry'), j.name, j.slot_at,
             case when j.why_not is null then 'waiting' else 'missed' end, j.why_not,
             case when j.why_not is not null then now() end
        from judged j left join tend.kinds k on k.kind = j.kind
       order by j.slot_at
      on conflict do nothing
      returning schedule, state, reason
    )
    select w.name,
           count(*) filter (where b.state = 'waiting')::integer as enqueued,
           count(*) filter (where b.state = 'missed' and starts_with(b.reason, 'skipped'))::integer as skipped,
           count(*) filter (where b.state = 'missed' and starts_with(b.reason, 'superseded'))::integer as superseded,
           count(*) filter (where b.state = 'missed' and starts_with(b.reason, 'missed'))::integer as missed
      from won w left join born b on b.schedule = w.name
     group by w.name order by w.name`.execute(options.db);
  return rows;
}

function toRow({ schedule, plan }: ScheduleToWrite) {
  return {
    name: schedule.name,
    cron: schedule.cron,
    timezone: schedule.timezone,
    old_slot: schedule.nextSlot,
    new_slot: plan.nextSlot,
    last_slot: plan.occurrences.at(-1)?.slotAt,
    occurrences: plan.occurrences.map(({ slotAt, reason }) => ({ slot_at: slotAt, reason })),
  };
}
