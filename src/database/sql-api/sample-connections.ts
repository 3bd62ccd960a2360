/**
 * `tend.sample_connections() → boolean`: puts one row into `tend.connection_samples`, unless this minute has one. Called by
 * every tick within its first statement: what is not due costs one look at the newest key, and pg_stat_activity is planned
 * only where it is read. Rows of more than 14 days go on the way.
 *
 * Sessions of the whole server are counted, since max_connections is the whole server's. Without pg_read_all_stats the
 * state and the backend's type of other users' sessions are hidden, but not that they are there, nor their names (PostgreSQL
 * source, pg_stat_get_activity). `by_application` holds the ten names with the most sessions; one without a name goes by
 * its user, and every process of tend counts as "tend". Two that sample at once: the second writes nothing.
 */
export const sampleConnections = `
create or replace function tend.sample_connections() returns boolean
language plpgsql set search_path = pg_catalog, pg_temp as $body$
declare
  this_minute timestamptz := date_trunc('minute', now());
begin
  if (select max(s.sampled_at) from tend.connection_samples s) >= this_minute then
    return false;
  end if;
  with sessions as (
    select a.state,
           case when starts_with(a.application_name, 'tend ') then 'tend'
                else coalesce(nullif(a.application_name, ''), 'user ' || a.usename, 'unknown') end as name
      from pg_stat_activity a
     where a.backend_type = 'client backend' or a.backend_type is null and a.datid is not null and a.usesysid is not null
  ), named as (
    select s.name, count(*) as sessions from sessions s group by 1 order by 2 desc, 1 limit 10
  )
  insert into tend.connection_samples (sampled_at, total, active, idle, idle_in_transaction, by_application, max_connections)
  select this_minute, count(*), count(*) filter (where s.state in ('active', 'fastpath function call')),
         count(*) filter (where s.state = 'idle'), count(*) filter (where s.state like 'idle in transaction%'),
         coalesce((select jsonb_object_agg(n.name, n.sessions) from named n), '{}'),
         current_setting('max_connections')::integer
    from sessions s
  on conflict do nothing;
  delete from tend.connection_samples s where s.sampled_at < now() - interval '14 days';
  return true;
end $body$`;
