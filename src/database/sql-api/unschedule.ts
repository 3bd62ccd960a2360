/**
 * `tend.unschedule(name) → boolean`: removes a schedule made by `tend.schedule`; false when there is none. What it has
 * enqueued already stays; cancel it as any task.
 */
export const unschedule = `
create or replace function tend.unschedule(name text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
#variable_conflict use_column
declare
  hosts text[];
begin
  delete from tend.schedules s where s.name = unschedule.name and s.source = 'sql';
  if found then
    return true;
  end if;
  select s.declared_by into hosts from tend.schedules s where s.name = unschedule.name;
  if hosts is null then
    return false;
  end if;
  raise exception 'tend.unschedule: "%" is defined in tend.toml (of %)', unschedule.name, array_to_string(hosts, ', ')
    using errcode = '55000', hint = 'Remove it there, or: tend schedules disable ' || unschedule.name;
end $body$`;
