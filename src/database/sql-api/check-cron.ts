export const checkCron = `
create or replace function tend.check_cron(cron text) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $body$ select null::text $body$`;
