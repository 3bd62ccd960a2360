/** `tend.unsuppress(address) → boolean`: the address gets mail again; false where nothing kept it from that. */
export const unsuppress = `
create or replace function tend.unsuppress(address text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
#variable_conflict use_column
begin
  delete from tend.suppressions s where s.address = lower(btrim(unsuppress.address));
  return found;
end $body$`;
