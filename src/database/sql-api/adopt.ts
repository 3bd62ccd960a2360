/**
 * `tend.adopt(unfinished) → bigint`: gives a clone or a restored database a queue of its own; for its owner alone, granted
 * to nobody. What is unfinished belongs to the original, whose ticks may have done it: `hold` leaves every such task to a
 * person, `cancel` ends them, `run` lets them run here – but never mail, which stays held, nor what was in the middle
 * of an attempt when the copy was made. What the original had held for a person of its own stays held. Returns how many
 * it held, cancelled, or lets run; 0, and nothing is changed, in a database that is its own.
 *
 * A task that a restore has held was between two attempts if its last one is on record with an end: `holdRestoredTasks`
 * records one that was cut off as `unknown`, as is done here.
 *
 * The hosts of the original are none of the copy's, nor is what they knew of the application, nor what was broken there.
 * Schedules of a tend.toml come back with the tick of a host that has them; one that a person had disabled stays, disabled.
 * Those made by SQL are disabled unless the copy is to run, and then too where they send mail. None makes up for what it
 * missed.
 */
export const adopt = `
create or replace function tend.adopt(unfinished text default 'hold') returns bigint
language plpgsql volatile set search_path = pg_catalog, pg_temp as $body$
declare
  changed_count bigint;
begin
  if adopt.unfinished is null or adopt.unfinished not in ('hold', 'cancel', 'run') then
    raise exception 'tend.adopt: unfinished tasks cannot be "%"', adopt.unfinished
      using errcode = '22023', hint = '"hold", "cancel" or "run".';
  end if;
  perform from tend.meta m for update;
  if tend.copied_from() is null then
    return 0;
  end if;
  insert into tend.attempts (task_id, token, attempt, owner, started_at, outcome, error)
    select t.id, t.lease_token, t.attempt, t.lease_owner, coalesce(t.started_at, now()), 'unknown',
        'the copy was made in the middle of it'
      from tend.tasks t where t.state = 'running'
    on conflict do nothing;
  if adopt.unfinished = 'cancel' then
    update tend.tasks t set state = 'cancelled', reason = 'adopted copy: cancelled', finished_at = now(),
        lease_owner = null, lease_token = null, lease_until = null
      where t.state in ('waiting', 'running') or t.state = 'held' and starts_with(t.reason, 'restored');
  else
    update tend.tasks t set state = 'held', lease_owner = null, lease_token = null, lease_until = null,
        reason = 'restored: adopted copy' || case when t.state = 'running' then ', made in the middle of an attempt'
                                                  else '' end
      where t.state = 'running' or t.state = 'waiting' and (adopt.unfinished = 'hold' or t.kind = 'send-mail');
  end if;
  get diagnostics changed_count = row_count;
  if adopt.unfinished = 'run' then
    -- Of several that were held with one unique key, one can wait.
    update tend.tasks t set state = 'waiting', reason = 'adopted copy: to be run', run_at = greatest(t.run_at, now())
      where t.id in (
        select distinct on (coalesce('k' || h.unique_key, 'i' || h.id)) h.id
          from tend.tasks h
          left join lateral (
            select a.attempt, a.outcome from tend.attempts a where a.task_id = h.id
             order by a.started_at desc, a.finished_at desc limit 1) last on true
         where h.state = 'held' and starts_with(h.reason, 'restored') and h.kind <> 'send-mail'
           and (h.attempt = 0
             or last.attempt >= h.attempt and last.outcome in ('failed', 'lost', 'released', 'postponed'))
           and not exists (select from tend.tasks w where w.state = 'waiting' and w.unique_key = h.unique_key)
         order by coalesce('k' || h.unique_key, 'i' || h.id), h.id desc);
    select count(*) into changed_count from tend.tasks t where t.state = 'waiting';
  end if;
  delete from tend.hosts;
  delete from tend.app_health;
  delete from tend.alerts;
  delete from tend.schedules s where s.source = 'config' and s.enabled;
  update tend.schedules s set next_slot = '-infinity', defined_at = now(), last_slot = null, conflict = null,
      enabled = s.enabled and d.reason is null,
      disabled_reason = case when s.enabled then d.reason else s.disabled_reason end
    from (select o.name, case when adopt.unfinished <> 'run' then 'adopted copy'
                              when o.kind = 'send-mail' then 'adopted copy: it sends mail' end as reason
            from tend.schedules o) d
   where d.name = s.name;
  update tend.meta m set epoch = m.epoch + 1, database_uuid = gen_random_uuid(),
      system_identifier = tend.system_identifier(), database_oid = d.oid, database_name = d.datname
    from pg_database d where d.datname = current_database();
  return changed_count;
end $body$`;
