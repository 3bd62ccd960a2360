/** View `tend.health`: what is wrong, for whoever asks, without any process of tend being alive. */
export const health = `
create or replace view tend.health as
  with counts as (
    select
      (select count(*) from tend.tasks where state = 'waiting' and run_at <= now()) as due,
      (select min(run_at) from tend.tasks where state = 'waiting') as next_due_at,
      (select min(t.run_at) from tend.tasks t where t.state = 'waiting' and t.run_at <= now() - interval '15 minutes'
         and not exists (select from tend.pauses p
                          where p.name = case p.scope when 'kind' then t.kind else t.queue end)) as late_since,
      (select count(*) from tend.tasks where state = 'running') as running,
      (select count(*) from tend.tasks where state = 'running' and lease_until < now()) as leases_expired,
      (select count(*) from tend.tasks where state = 'held') as held,
      (select count(*) from tend.tasks where state = 'failed' and finished_at > now() - interval '1 day') as failed_last_day,
      (select count(*) from tend.tasks t where state = 'waiting' and run_at <= now()
         and not exists (select from tend.kinds k where k.kind = t.kind)) as due_of_unknown_kind,
      (select max(last_tick_at) from tend.hosts) as last_tick_at,
      (select count(*) from tend.tasks where state = 'missed' and finished_at > now() - interval '1 day'
         and starts_with(reason, 'missed')) as missed_last_day,
      array(select s.name || case when s.problem is not null then ' cannot be planned: ' || s.problem
                                  when s.conflict is not null then ' is defined twice: ' || s.conflict
                                  else ' should have run at ' || s.next_slot end
              from tend.schedules s
             where s.enabled and (s.problem is not null or s.conflict is not null
                or isfinite(s.next_slot) and s.next_slot < now() - interval '5 minutes')
             order by s.name limit 20) as schedule_problems,
      array(select format('%s "%s" is paused since %s with %s due', p.scope, p.name, date_trunc('second', p.paused_at),
                     w.due)
              from tend.pauses p,
                   lateral (select count(*) as due from tend.tasks t
                             where t.state = 'waiting' and t.run_at <= now()
                               and case p.scope when 'kind' then t.kind else t.queue end = p.name) w
             where p.paused_at < now() - interval '1 hour' and w.due > 0
             order by p.scope, p.name limit 20) as pause_problems,
      array(select format('no tick on host "%s" for %s, and %s pinned to it due', h.host,
                     date_trunc('second', now() - h.last_tick_at), w.due)
              from tend.hosts h,
                   lateral (select count(*) as due from tend.tasks t
                             where t.state = 'waiting' and t.run_at <= now() and t.host = h.host) w
             where h.last_tick_at < now() - interval '5 minutes' and w.due > 0
             order by h.host limit 20) as host_problems,
      array(select format('the backup due at %s is missing: %s', s.last_slot,
                     coalesce('the newest good one is of ' || date_trunc('second', b.newest), 'there is no good one'))
              from tend.schedules s,
                   lateral (select max(finished_at) as newest from tend.backups
                             where database_name = current_database() and removed_at is null
                               and last_verify_error is null) b
             where s.kind = 'backup' and s.enabled and isfinite(s.next_slot)
               and now() > s.last_slot + greatest(interval '15 minutes', least((s.next_slot - s.last_slot) / 2, interval '1 day'))
               and coalesce(b.newest < s.last_slot - interval '15 minutes', true)
               and not exists (select from tend.tasks t where t.kind = 'backup' and t.state = 'running')
             order by s.name limit 20) as backup_problems
  ), judged as (
    select c.*, array_remove(array[
      case when c.last_tick_at is null then 'no tick has ever run'
           when c.last_tick_at < now() - interval '5 minutes'
           then 'no tick for ' || date_trunc('second', now() - c.last_tick_at) end,
      case when c.late_since is not null then 'a task is due since ' || c.late_since end,
      case when c.leases_expired > 0 then c.leases_expired || ' running with an expired lease' end,
      case when c.held > 0 then c.held || ' held: a person must decide' end,
      case when c.failed_last_day > 0 then c.failed_last_day || ' failed in the last day' end,
      case when c.due_of_unknown_kind > 0 then c.due_of_unknown_kind || ' due of a kind nobody knows' end,
      case when c.missed_last_day > 0 then c.missed_last_day || case c.missed_last_day when 1 then ' occurrence' else ' occurrences' end || ' missed in the last day' end
    ], null) || c.schedule_problems || c.pause_problems || c.host_problems
      || c.backup_problems as problems
    from counts c
  )
  select now() as checked_at, cardinality(problems) = 0 as ok, problems, due, next_due_at, running, leases_expired,
    held, failed_last_day, due_of_unknown_kind, last_tick_at, missed_last_day from judged`;
