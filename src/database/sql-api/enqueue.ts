/** `tend.enqueue(kind, payload, …) → bigint`: what every application calls, inside its own transaction. */
export const enqueue = `
create or replace function tend.enqueue(
  kind text, payload jsonb default '{}', run_at timestamptz default now(), queue text default 'default',
  priority integer default 0, unique_key text default null, mutex text default null, host text default null,
  max_attempts integer default null)
returns bigint language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
#variable_conflict use_column
declare
  new_id bigint;
  first_id bigint;
  target text;
begin
  if enqueue.kind is null or enqueue.kind !~ '^[a-z0-9][a-z0-9._:-]{0,62}$' then
    raise exception 'tend.enqueue: "%" cannot be a kind', enqueue.kind
      using errcode = '22023', hint = 'A kind is named with a-z, 0-9, ".", "_", ":" and "-", 63 characters at most.';
  end if;
  if jsonb_typeof(coalesce(enqueue.payload, '{}')) <> 'object' then
    raise exception 'tend.enqueue: the payload of "%" must be a JSON object, not %', enqueue.kind,
      jsonb_typeof(enqueue.payload) using errcode = '22023';
  end if;
  if enqueue.priority not between -32768 and 32767 then
    raise exception 'tend.enqueue: priority % is out of range', enqueue.priority
      using errcode = '22023', hint = 'Priorities go from -32768 (first) to 32767 (last).';
  end if;
  if enqueue.max_attempts not between 1 and 100 then
    raise exception 'tend.enqueue: max_attempts % is out of range', enqueue.max_attempts
      using errcode = '22023', hint = 'Between 1 and 100 attempts.';
  end if;
  if enqueue.host = '*' then
    -- One row for every host that ticks, all with the id of the first. In one order: two calls with one unique key wait
    -- for each other instead of in a circle.
    for target in
      select h.host from tend.hosts h where h.last_tick_at > now() - interval '7 days' order by h.host
    loop
      if octet_length(enqueue.unique_key || '@' || target) > 500 then
        raise exception 'tend.enqueue: a unique_key of % bytes cannot be for host "*"', octet_length(enqueue.unique_key)
          using errcode = '22023', hint = format('With "@%s" it has more than 500.', target);
      end if;
      new_id := tend.enqueue(enqueue.kind, enqueue.payload, enqueue.run_at, enqueue.queue, enqueue.priority,
        enqueue.unique_key || '@' || target, enqueue.mutex, target, enqueue.max_attempts);
      first_id := coalesce(first_id, new_id);
      update tend.tasks t set fan_out = first_id where t.id = new_id;
    end loop;
    if first_id is null then
      raise exception 'tend.enqueue: host "*" finds no host: none has ticked in the last 7 days'
        using errcode = '55000', hint = 'Let cron call tend run-due-tasks on every host, or name the host.';
    end if;
    return first_id;
  end if;
  if octet_length(enqueue.queue) not between 1 and 200 then
    raise exception 'tend.enqueue: a queue of % bytes cannot be', octet_length(enqueue.queue)
      using errcode = '22023', hint = 'Between 1 and 200 bytes.';
  end if;
  if octet_length(enqueue.unique_key) not between 1 and 500 then
    raise exception 'tend.enqueue: a unique_key of % bytes cannot be', octet_length(enqueue.unique_key)
      using errcode = '22023', hint = 'Between 1 and 500 bytes, or null for none.';
  end if;
  if octet_length(enqueue.mutex) not between 1 and 200 then
    raise exception 'tend.enqueue: a mutex of % bytes cannot be', octet_length(enqueue.mutex)
      using errcode = '22023', hint = 'Between 1 and 200 bytes, or null for that of the kind.';
  end if;
  if enqueue.host !~ '^[^\\s:*]{1,200}$' then
    raise exception 'tend.enqueue: "%" cannot be a host', left(enqueue.host, 200)
      using errcode = '22023', hint = 'A host name of 1 to 200 characters without spaces, ":" or "*"; null for any host.';
  end if;
  if not isfinite(enqueue.run_at) then
    raise exception 'tend.enqueue: run_at cannot be %', enqueue.run_at
      using errcode = '22023', hint = 'Name a time; null is now.';
  end if;
  insert into tend.tasks as t
    (kind, payload, run_at, queue, priority, unique_key, mutex, host, max_attempts, max_attempts_given, on_lost,
     created_by)
  select enqueue.kind, coalesce(enqueue.payload, '{}'), coalesce(enqueue.run_at, now()),
         coalesce(enqueue.queue, 'default'), coalesce(enqueue.priority, 0), enqueue.unique_key,
         coalesce(enqueue.mutex, k.mutex), enqueue.host,
         coalesce(enqueue.max_attempts, k.max_attempts, 5), enqueue.max_attempts is not null,
         coalesce(k.on_lost, 'retry'), session_user
    from (values (1)) as one (row) left join tend.kinds k on k.kind = enqueue.kind
  on conflict (unique_key) where state = 'waiting' and unique_key is not null
  do update set kind = excluded.kind, payload = excluded.payload, run_at = excluded.run_at, queue = excluded.queue,
    priority = excluded.priority, mutex = excluded.mutex, host = excluded.host,
    max_attempts = excluded.max_attempts, max_attempts_given = excluded.max_attempts_given,
    on_lost = excluded.on_lost, attempt = 0, reason = null, last_error = null, fan_out = null, enqueued_by = null
  returning t.id into new_id;
  if enqueue.unique_key is not null then
    -- A message composed from the replaced payload must not be the one that is sent. What may have reached somebody
    -- stays as a record of no task; the rest goes, so that a worker that lost the task cannot send it either.
    delete from tend.deliveries d where d.task_id = new_id and d.state in ('composed', 'refused');
    update tend.deliveries d set task_id = null where d.task_id = new_id;
  end if;
  return new_id;
end $body$`;
