/**
 * `tend.schedule(name, cron, kind, …) → text`: a recurring rule made by the application, for instance from its admin
 * panel; `created`, `updated` or `unchanged`. One that stands in a tend.toml is refused, as `tend.toml` leaves alone what
 * was made here. A changed rule is planned anew from now on: occurrences of the past are never made up for.
 */
export const schedule = `
create or replace function tend.schedule(
  name text, cron text, kind text, payload jsonb default '{}', timezone text default 'UTC',
  catch_up text default 'latest', max_late interval default '1 day', overlap text default 'skip',
  queue text default 'default', priority integer default 0, host text default null)
returns text language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
#variable_conflict use_column
declare
  was tend.schedules;
  problem text;
begin
  if schedule.name is null or schedule.name !~ '^[a-z0-9][a-z0-9._:-]{0,62}$' then
    raise exception 'tend.schedule: "%" cannot be the name of a schedule', left(schedule.name, 200)
      using errcode = '22023', hint = 'It is named with a-z, 0-9, ".", "_", ":" and "-", 63 characters at most.';
  end if;
  if schedule.kind is null or schedule.kind !~ '^[a-z0-9][a-z0-9._:-]{0,62}$' then
    raise exception 'tend.schedule: "%" cannot be a kind', left(schedule.kind, 200)
      using errcode = '22023', hint = 'A kind is named with a-z, 0-9, ".", "_", ":" and "-", 63 characters at most.';
  end if;
  problem := case when schedule.cron is null then 'it is null'
                  when octet_length(schedule.cron) > 1000 then 'it is longer than 1000 bytes'
                  else tend.check_cron(schedule.cron) end;
  if problem is not null then
    raise exception 'tend.schedule: "%" cannot be a schedule: %', left(schedule.cron, 200), problem
      using errcode = '22023', hint = 'Five fields as in crontab(5), or @hourly, @daily, @weekly, @monthly, @yearly.';
  end if;
  -- Not every file in PostgreSQL's folder of time zones is a zone to the program that plans: "localtime", "posix/…".
  if schedule.timezone is null
     or schedule.timezone !~ '^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$'
     or schedule.timezone in ('Factory', 'GMT0', 'GMT+0', 'GMT-0')
     or not exists (select from pg_timezone_names z where z.name = schedule.timezone) then
    raise exception 'tend.schedule: "%" is not a time zone', left(schedule.timezone, 200)
      using errcode = '22023', hint = 'Use a name such as "Europe/Warsaw", or "UTC".';
  end if;
  if schedule.catch_up is null or schedule.catch_up not in ('none', 'latest', 'all') then
    raise exception 'tend.schedule: catch_up cannot be "%"', left(schedule.catch_up, 200)
      using errcode = '22023', hint = '"none", "latest" or "all".';
  end if;
  if schedule.overlap is null or schedule.overlap not in ('skip', 'queue') then
    raise exception 'tend.schedule: overlap cannot be "%"', left(schedule.overlap, 200)
      using errcode = '22023', hint = '"skip" or "queue".';
  end if;
  if schedule.max_late is null or schedule.max_late < '0' or schedule.max_late > interval '366 days' then
    raise exception 'tend.schedule: max_late cannot be "%"', schedule.max_late
      using errcode = '22023', hint = 'An interval from 0 to 366 days.';
  end if;
  if jsonb_typeof(coalesce(schedule.payload, '{}')) <> 'object' then
    raise exception 'tend.schedule: the payload of "%" must be a JSON object, not %', schedule.name,
      jsonb_typeof(schedule.payload) using errcode = '22023';
  end if;
  if schedule.priority not between -32768 and 32767 then
    raise exception 'tend.schedule: priority % is out of range', schedule.priority
      using errcode = '22023', hint = 'Priorities go from -32768 (first) to 32767 (last).';
  end if;
  if octet_length(schedule.queue) not between 1 and 200 then
    raise exception 'tend.schedule: a queue of % bytes cannot be', octet_length(schedule.queue)
      using errcode = '22023', hint = 'Between 1 and 200 bytes.';
  end if;
  if schedule.host !~ '^([^\\s:*]{1,200}|[*])$' then
    raise exception 'tend.schedule: "%" cannot be a host', left(schedule.host, 200)
      using errcode = '22023', hint = 'A host name without spaces, ":" or "*"; "*" for every host; null for any.';
  end if;

  -- Two callers at once: the second waits for the first, and then updates what that one made.
  insert into tend.schedules (name, source, cron, timezone, kind)
  values (schedule.name, 'sql', schedule.cron, schedule.timezone, schedule.kind)
  on conflict (name) do nothing;
  if found then
    was := null;
  else
    select s.* into was from tend.schedules s where s.name = schedule.name for no key update;
    if was.source = 'config' then
      raise exception 'tend.schedule: "%" is defined in tend.toml (of %)', schedule.name,
        array_to_string(was.declared_by, ', ')
        using errcode = '55000', hint = 'Change it there, or choose another name.';
    end if;
  end if;
  update tend.schedules s
     set cron = schedule.cron, timezone = schedule.timezone, kind = schedule.kind,
         payload = coalesce(schedule.payload, '{}'), queue = coalesce(schedule.queue, 'default'),
         priority = coalesce(schedule.priority, 0), host = schedule.host, catch_up = schedule.catch_up,
         max_late = schedule.max_late, overlap = schedule.overlap,
         next_slot = case when (s.cron, s.timezone) is distinct from (schedule.cron, schedule.timezone)
                          then '-infinity' else s.next_slot end,
         defined_at = case when (s.cron, s.timezone) is distinct from (schedule.cron, schedule.timezone)
                           then now() else s.defined_at end,
         problem = null
   where s.name = schedule.name
     and (s.cron, s.timezone, s.kind, s.payload, s.queue, s.priority, s.host, s.catch_up, s.max_late, s.overlap)
         is distinct from
         (schedule.cron, schedule.timezone, schedule.kind, coalesce(schedule.payload, '{}'),
          coalesce(schedule.queue, 'default'), coalesce(schedule.priority, 0)::smallint, schedule.host,
          schedule.catch_up, schedule.max_late, schedule.overlap);
  return case when was.name is null then 'created' when found then 'updated' else 'unchanged' end;
end $body$`;
