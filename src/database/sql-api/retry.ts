/** `tend.retry(id) → text`. */
export const retry = `
create or replace function tend.retry(id bigint) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
#variable_conflict use_column
declare
  task tend.tasks;
  twin bigint;
begin
  select t.* into task from tend.tasks t where t.id = retry.id for no key update;
  if task.id is null then
    raise exception 'tend.retry: there is no task %', retry.id using errcode = 'P0002';
  elsif task.state = 'held' then
    raise exception 'tend.retry: task % is held (%): a person decides about it', retry.id, task.reason
      using errcode = '55000', hint = 'Look at it with: tend tasks show ' || retry.id
        || ' and decide with: tend tasks resolve ' || retry.id;
  elsif task.state in ('waiting', 'running') then
    return 'unchanged';
  elsif task.state = 'succeeded' then
    raise exception 'tend.retry: task % has succeeded', retry.id
      using errcode = '55000', hint = 'Enqueue it anew to run it again.';
  end if;
  select w.id into twin from tend.tasks w where w.unique_key = task.unique_key and w.state = 'waiting';
  if twin is not null then
    raise exception 'tend.retry: task % with the same unique key "%" is already waiting', twin, task.unique_key
      using errcode = '55000';
  end if;
  update tend.tasks t set state = 'waiting', run_at = now(), finished_at = null, reason = null,
      cancel_requested_at = null, started_at = null,
      max_attempts = least(task.attempt
        + coalesce((select k.max_attempts from tend.kinds k where k.kind = task.kind), task.max_attempts), 32767)
   where t.id = retry.id;
  return 'waiting';
end $body$`;
