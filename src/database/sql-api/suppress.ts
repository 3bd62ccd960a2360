/**
 * `tend.suppress(address, reason, detail) → text`: no more mail to this address: `added`, `changed` where a weaker reason
 * stood there, else `unchanged`. A person's own word is stronger than a mail server's: who has unsubscribed is not to be
 * forgotten because a bounce was on record first, and taken off again when the mailbox works.
 */
export const suppress = `
create or replace function tend.suppress(address text, reason text default 'manual', detail text default null)
returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
#variable_conflict use_column
declare
  key text := lower(btrim(suppress.address));
  strength constant text[] := array['bounce', 'manual', 'unsubscribe', 'complaint'];
  is_new boolean;
begin
  if key is null or octet_length(key) not between 3 and 500
      or key !~ '^("[^<>[:cntrl:]]+"|[^"@<>[:space:][:cntrl:]]+)@[^"@<>[:space:][:cntrl:]]+$' then
    raise exception 'tend.suppress: this is not an address' using errcode = '22023',
      hint = 'Only the address, without a name: bob@example.org';
  elsif suppress.reason is null or not suppress.reason = any (strength) then
    raise exception 'tend.suppress: "%" is not a reason', suppress.reason using errcode = '22023',
      hint = array_to_string(strength, ', ');
  end if;
  insert into tend.suppressions as s (address, reason, detail)
    values (key, suppress.reason, left(suppress.detail, 2000))
    on conflict (address) do update
      set reason = excluded.reason, detail = excluded.detail, created_at = now(), created_by = session_user
      where array_position(strength, s.reason) < array_position(strength, excluded.reason)
    returning s.xmax = 0 into is_new;
  return case when is_new then 'added' when not is_new then 'changed' else 'unchanged' end;
end $body$`;
