/**
 * `tend.copied_from() → text`: which database this one is a copy of, or null. The name does not decide: renaming a
 * database by hand makes no copy of it.
 */
export const copiedFrom = `
create or replace function tend.copied_from() returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $body$
declare
  meta tend.meta;
  here oid := (select d.oid from pg_database d where d.datname = current_database());
  server text := tend.system_identifier();
begin
  select m.* into meta from tend.meta m;
  if meta.system_identifier <> server then
    return format('"%s" on another server (system identifier %s, here %s)', meta.database_name,
      meta.system_identifier, server);
  elsif meta.database_oid <> here then
    return format('"%s" (oid %s, here %s)', meta.database_name, meta.database_oid, here);
  end if;
  return null;
end $body$`;
