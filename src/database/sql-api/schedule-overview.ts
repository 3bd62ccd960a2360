/**
 * View `tend.schedule_overview`: every schedule with its next and last occurrence. New columns go to the end, as in every
 * view here.
 */
export const scheduleOverview = `
create or replace view tend.schedule_overview as
  select s.name, s.source, s.declared_by, s.cron, s.timezone, s.kind, s.queue, s.priority, s.host, s.catch_up, s.max_late,
    s.overlap, s.enabled, s.disabled_reason,
    case when s.enabled and isfinite(s.next_slot) then s.next_slot end as next_slot, s.last_slot, s.problem, s.conflict,
    last.id as last_task, last.state as last_state, last.finished_at as last_finished_at, s.created_at, s.created_by
  from tend.schedules s
  left join lateral (
    select t.id, t.state, t.finished_at from tend.tasks t
     where t.schedule = s.name and t.slot_at is not null and t.state <> 'missed'
     order by t.slot_at desc, t.id desc limit 1) last on true`;
