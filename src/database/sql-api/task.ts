/** `tend.task(id) → jsonb`: the row with its payload and its attempts, without what only workers need. */
export const task = `
create or replace function tend.task(id bigint) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
  select to_jsonb(t) - array['lease_token', 'limit_place', 'host_place'] || jsonb_build_object('attempts', coalesce((
      select jsonb_agg(to_jsonb(a) - 'token' - 'task_id' order by a.started_at, a.finished_at)
        from tend.attempts a where a.task_id = t.id), '[]'::jsonb))
    from tend.tasks t where t.id = task.id
$body$`;
