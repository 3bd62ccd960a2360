/**
 * `tend.adopt(unfinished) → bigint`: gives a clone or a restored database a queue of its own; for its owner alone, granted
 * to nobody. What is unfinished belongs to the original, whose ticks may have done it: `hold` leaves every such task to a
 * person, `cancel` ends them, `run` lets them run here – but never mail, which stays held, nor what was in the middle
 * of an attempt when the copy was made. Returns how many it held, cancelled or released.
 *
 * The hosts of the original are none of the copy's. Schedules of a tend.toml come back with the tick of a host that has
 * them, those made by SQL are disabled unless the copy is to run; none makes up for what it missed.
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
  if adopt.unfinished = 'cancel' then
    update tend.tasks t set state = 'cancelled', reason = 'adopted copy: cancelled', finished_at = now(),
        lease_owner = null, lease_token = null, lease_until = null
      where t.state in ('waiting', 'running') or t.state = 'held' and starts_with(t.reason, 'restored');
    get diagnostics changed_count = row_count;
  elsif adopt.unfinished = 'run' then
    -- Of several that were held with one unique key, one can wait.
    update tend.tasks t set state = 'waiting', reason = 'adopted copy: to be run', run_at = greatest(t.run_at, now())
      where t.id in (
        select distinct on (coalesce('k' || h.unique_key, 'i' || h.id)) h.id from tend.tasks h
         where h.state = 'held' and starts_with(h.reason, 'restored') and h.kind <> 'send-mail' and h.attempt = 0
           and not exists (select from tend.tasks w where w.state = 'waiting' and w.unique_key = h.unique_key)
         order by coalesce('k' || h.unique_key, 'i' || h.id), h.id desc);
    get diagnostics changed_count = row_count;
    update tend.tasks t set state = 'held', reason = 'restored: adopted copy', lease_owner = null, lease_token = null,
        lease_until = null
      where t.state = 'running' or t.state = 'waiting' and t.kind = 'send-mail';
  else
    update tend.tasks t set state = 'held', reason = 'restored: adopted copy', lease_owner = null, lease_token = null,
        lease_until = null
      where t.state in ('waiting', 'running');
    get diagnostics changed_count = row_count;
  end if;
  delete from tend.hosts;
  delete from tend.schedules s where s.source = 'config';
  update tend.schedules s set next_slot = '-infinity', defined_at = now(), last_slot = null,
      enabled = s.enabled and adopt.unfinished = 'run',
      disabled_reason = case when s.enabled and adopt.unfinished <> 'run' then 'adopted copy' else s.disabled_reason end;
  update tend.meta m set epoch = m.epoch + 1, system_identifier = tend.system_identifier(),
      database_oid = d.oid, database_name = d.datname
    from pg_database d where d.datname = current_database();
  return changed_count;
end $body$`;
