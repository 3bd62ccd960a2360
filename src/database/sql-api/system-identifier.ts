/** In plpgsql, which looks at the right first: a plain query fails where a managed server withholds it. */
export const systemIdentifier = `
create or replace function tend.system_identifier() returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $body$
begin
  if has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') then
    return (select s.system_identifier from pg_control_system() s);
  end if;
  return null;
end $body$`;
