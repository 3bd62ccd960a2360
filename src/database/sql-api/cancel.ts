/** `tend.cancel(id) → text`. */
export const cancel = `
create or replace function tend.cancel(id bigint) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
#variable_conflict use_column
declare
  was text;
begin
  select t.state into was from tend.tasks t where t.id = cancel.id for no key update;
  if was is null then
    raise exception 'tend.cancel: there is no task %', cancel.id using errcode = 'P0002';
  elsif was in ('waiting', 'held') then
    update tend.tasks t set state = 'cancelled', finished_at = now(), reason = 'cancelled by ' || session_user
     where t.id = cancel.id;
    return 'cancelled';
  elsif was = 'running' then
    update tend.tasks t set cancel_requested_at = coalesce(t.cancel_requested_at, now()) where t.id = cancel.id;
    return 'requested';
  end if;
  return 'unchanged';
end $body$`;
