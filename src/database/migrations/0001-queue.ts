import { type QueryExecutorProvider, sql } from 'kysely';

/**
 * The first schema: the queue, its history, and what the chores remember.
 *
 * Why it is shaped so:
 * - `attempts` is append-only: a row is written when an attempt ends (or is found lost); a running attempt is in the
 *   lease columns of its task. One insert a try, no dead tuples, and the token as key makes a repeated finish harmless.
 * - Two partial indexes on waiting rows: `tasks_ready` serves a backlog in claim order, `tasks_due` lets an idle tick
 *   see that nothing is due without visiting a million future rows. Either one alone has a cliff.
 * - Attempts go with their task by a trigger per statement, not by a foreign key: its check for every row written
 *   costs a fifth of a drain, and a row is only ever written in the statement that ends its task's attempt.
 * - Functions run as their owner with `pg_catalog, pg_temp` as search path. An empty one would not do: unless it is named,
 *   pg_temp is searched first for types, and a caller's own domain "text" would run its CHECK as the owner (PostgreSQL
 *   manual, CREATE FUNCTION, "Writing SECURITY DEFINER functions safely").
 * - What an application names (queue, mutex, unique key, host) has a length limit: a longer value could not enter an
 *   index, and a mutex would only be found too long when its task is claimed, in every claim from then on.
 * - States are text with CHECK, not an enum: a new state must be usable in the transaction that adds it.
 */
export async function up(db: QueryExecutorProvider): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table tend.meta (
     only_row boolean primary key default true check (only_row),
     schema_version integer not null,
     epoch integer not null default 1,
     database_uuid uuid not null default gen_random_uuid(),
     system_identifier text,
     database_oid oid not null,
     database_name text not null,
     created_at timestamptz not null default now()
   )`,

  `create table tend.kinds (
     kind text primary key check (kind ~ '^[a-z0-9][a-z0-9._:-]{0,62}$'),
     source text not null check (source in ('built-in', 'config')),
     max_attempts smallint not null check (max_attempts between 1 and 100),
     on_lost text not null check (on_lost in ('retry', 'hold')),
     mutex text check (octet_length(mutex) between 1 and 200),
     updated_at timestamptz not null default now()
   )`,

  `create table tend.hosts (
     host text primary key,
     first_seen_at timestamptz not null default now(),
     last_tick_at timestamptz not null default now(),
     ticks bigint not null default 1,
     last_busy_at timestamptz,
     last_outcome text,
     last_worker text not null,
     kinds_fingerprint text
   ) with (fillfactor = 50)`,

  `create table tend.tasks (
     id bigint primary key generated always as identity,
     kind text not null check (kind ~ '^[a-z0-9][a-z0-9._:-]{0,62}$'),
     queue text not null default 'default' check (octet_length(queue) between 1 and 200),
     payload jsonb not null default '{}' check (jsonb_typeof(payload) = 'object'),
     priority smallint not null default 0,
     run_at timestamptz not null default now() check (isfinite(run_at)),
     state text not null default 'waiting'
       check (state in ('waiting', 'running', 'succeeded', 'failed', 'held', 'cancelled', 'missed')),
     reason text,
     attempt smallint not null default 0,
     max_attempts smallint not null default 5 check (max_attempts >= 1),
     max_attempts_given boolean not null default false,
     on_lost text not null default 'retry' check (on_lost in ('retry', 'hold')),
     unique_key text check (octet_length(unique_key) between 1 and 500),
     mutex text check (octet_length(mutex) between 1 and 200),
     host text check (host ~ '^[^\\s:*]{1,200}$'),
     lease_owner text,
     lease_token uuid,
     lease_until timestamptz,
     started_at timestamptz,
     cancel_requested_at timestamptz,
     last_error text,
     created_at timestamptz not null default now(),
     created_by text not null default session_user,
     finished_at timestamptz,
     check ((state = 'running') = (lease_token is not null and lease_owner is not null and lease_until is not null)),
     check ((state in ('succeeded', 'failed', 'cancelled', 'missed')) = (finished_at is not null)),
     check (state <> 'held' or reason is not null)
   ) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 200,
           autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 200)`,
  `create index tasks_ready on tend.tasks (priority, run_at, id) where state = 'waiting'`,
  `create index tasks_due on tend.tasks (run_at) where state = 'waiting'`,
  `create index tasks_lease on tend.tasks (lease_until) where state = 'running'`,
  `create unique index tasks_unique_key on tend.tasks (unique_key) where state = 'waiting' and unique_key is not null`,
  `create unique index tasks_mutex on tend.tasks (mutex) where state = 'running' and mutex is not null`,
  `create index tasks_succeeded on tend.tasks (finished_at) where state = 'succeeded'`,
  `create index tasks_ended on tend.tasks (finished_at) where state in ('failed', 'cancelled', 'missed')`,
  `create index tasks_held on tend.tasks (id) where state = 'held'`,

  `create table tend.attempts (
     task_id bigint not null,
     token uuid not null,
     attempt smallint not null,
     owner text not null,
     started_at timestamptz not null,
     finished_at timestamptz not null default now(),
     outcome text not null check (outcome in
       ('succeeded', 'failed', 'lost', 'released', 'postponed', 'cancelled', 'unknown')),
     exit_code integer,
     error text,
     output_tail text,
     evidence jsonb,
     primary key (task_id, token)
   ) with (autovacuum_analyze_scale_factor = 0.05)`,

  `create function tend.forget_attempts() returns trigger
   language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
   begin
     delete from tend.attempts a using deleted d where a.task_id = d.id;
     return null;
   end $body$`,
  `create trigger forget_attempts after delete on tend.tasks
     referencing old table as deleted for each statement execute function tend.forget_attempts()`,

  `create table tend.backups (
     id text primary key,
     task_id bigint,
     host text not null,
     directory text not null,
     database_name text not null,
     label text,
     started_at timestamptz not null,
     finished_at timestamptz not null,
     bytes bigint not null,
     sha256 text not null,
     manifest jsonb not null,
     verified_at timestamptz
   )`,
  `create index backups_finished on tend.backups (finished_at desc)`,

  `create table tend.deliveries (
     id bigint primary key generated always as identity,
     task_id bigint unique references tend.tasks on delete cascade,
     message_id text not null unique,
     envelope_from text not null,
     recipients jsonb not null,
     raw bytea not null,
     state text not null default 'composed'
       check (state in ('composed', 'committing', 'sent', 'partly-sent', 'refused', 'unknown')),
     reply text,
     created_at timestamptz not null default now(),
     committing_at timestamptz,
     finished_at timestamptz
   )`,

  `create table tend.catalogs (
     host text not null,
     path text not null,
     source_sha256 text not null,
     output_sha256 text,
     result text not null check (result in ('installed', 'failed')),
     message text,
     checked_at timestamptz not null default now(),
     primary key (host, path)
   )`,

  `create function tend.enqueue(
     kind text, payload jsonb default '{}', run_at timestamptz default now(), queue text default 'default',
     priority integer default 0, unique_key text default null, mutex text default null, host text default null,
     max_attempts integer default null)
   returns bigint language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
   #variable_conflict use_column
   declare
     new_id bigint;
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
       raise exception 'tend.enqueue: host "*" (one task on every host) is not supported by this version'
         using errcode = '0A000', hint = 'Enqueue one task a host: host => ''web1''.';
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
       on_lost = excluded.on_lost, attempt = 0, reason = null, last_error = null
     returning t.id into new_id;
     if enqueue.unique_key is not null then
       -- A message composed from the replaced payload must not be the one that is sent. What may have reached somebody
       -- stays as a record of no task; the rest goes, so that a worker that lost the task cannot send it either.
       delete from tend.deliveries d where d.task_id = new_id and d.state in ('composed', 'refused');
       update tend.deliveries d set task_id = null where d.task_id = new_id;
     end if;
     return new_id;
   end $body$`,

  `create function tend.cancel(id bigint) returns text
   language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
   #variable_conflict use_column
   declare
     was text;
   begin
     select t.state into was from tend.tasks t where t.id = cancel.id for no key update;
     if was is null then
       raise exception 'tend.cancel: there is no task %', cancel.id using errcode = 'P0002';
     elsif was in ('waiting', 'held') then
       update tend.tasks t set state = 'cancelled', finished_at = now(), reason = 'cancelled by ' || session_user
        where t.id = cancel.id;
       return 'cancelled';
     elsif was = 'running' then
       update tend.tasks t set cancel_requested_at = coalesce(t.cancel_requested_at, now()) where t.id = cancel.id;
       return 'requested';
     end if;
     return 'unchanged';
   end $body$`,

  `create function tend.retry(id bigint) returns text
   language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $body$
   #variable_conflict use_column
   declare
     task tend.tasks;
     twin bigint;
   begin
     select t.* into task from tend.tasks t where t.id = retry.id for no key update;
     if task.id is null then
       raise exception 'tend.retry: there is no task %', retry.id using errcode = 'P0002';
     elsif task.state = 'held' then
       raise exception 'tend.retry: task % is held (%): a person decides about it', retry.id, task.reason
         using errcode = '55000', hint = 'Look at it with: tend tasks show ' || retry.id
           || ' and decide with: tend tasks resolve ' || retry.id;
     elsif task.state in ('waiting', 'running') then
       return 'unchanged';
     elsif task.state = 'succeeded' then
       raise exception 'tend.retry: task % has succeeded', retry.id
         using errcode = '55000', hint = 'Enqueue it anew to run it again.';
     end if;
     select w.id into twin from tend.tasks w where w.unique_key = task.unique_key and w.state = 'waiting';
     if twin is not null then
       raise exception 'tend.retry: task % with the same unique key "%" is already waiting', twin, task.unique_key
         using errcode = '55000';
     end if;
     update tend.tasks t set state = 'waiting', run_at = now(), finished_at = null, reason = null,
         cancel_requested_at = null, started_at = null,
         max_attempts = least(task.attempt
           + coalesce((select k.max_attempts from tend.kinds k where k.kind = task.kind), task.max_attempts), 32767)
      where t.id = retry.id;
     return 'waiting';
   end $body$`,

  `create function tend.task(id bigint) returns jsonb
   language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
     select to_jsonb(t) - 'lease_token' || jsonb_build_object('attempts', coalesce((
         select jsonb_agg(to_jsonb(a) - 'token' - 'task_id' order by a.started_at, a.finished_at)
           from tend.attempts a where a.task_id = t.id), '[]'::jsonb))
       from tend.tasks t where t.id = task.id
   $body$`,

  `create view tend.task_overview as
     select t.id, t.kind, t.queue, t.state, t.reason, t.priority, t.run_at, t.state = 'waiting' and t.run_at <= now() as due,
       t.attempt, t.max_attempts, t.unique_key, t.mutex, t.host, t.lease_owner as worker, t.lease_until,
       t.cancel_requested_at, t.last_error, t.created_at, t.created_by, t.started_at, t.finished_at
     from tend.tasks t`,

  `create view tend.health as
     with counts as (
       select
         (select count(*) from tend.tasks where state = 'waiting' and run_at <= now()) as due,
         (select min(run_at) from tend.tasks where state = 'waiting') as next_due_at,
         (select count(*) from tend.tasks where state = 'running') as running,
         (select count(*) from tend.tasks where state = 'running' and lease_until < now()) as leases_expired,
         (select count(*) from tend.tasks where state = 'held') as held,
         (select count(*) from tend.tasks where state = 'failed' and finished_at > now() - interval '1 day') as failed_last_day,
         (select count(*) from tend.tasks t where state = 'waiting' and run_at <= now()
            and not exists (select from tend.kinds k where k.kind = t.kind)) as due_of_unknown_kind,
         (select max(last_tick_at) from tend.hosts) as last_tick_at
     ), judged as (
       select c.*, array_remove(array[
         case when c.last_tick_at is null then 'no tick has ever run'
              when c.last_tick_at < now() - interval '5 minutes'
              then 'no tick for ' || date_trunc('second', now() - c.last_tick_at) end,
         case when c.due > 0 and c.next_due_at < now() - interval '15 minutes'
              then 'a task is due since ' || c.next_due_at end,
         case when c.leases_expired > 0 then c.leases_expired || ' running with an expired lease' end,
         case when c.held > 0 then c.held || ' held: a person must decide' end,
         case when c.failed_last_day > 0 then c.failed_last_day || ' failed in the last day' end,
         case when c.due_of_unknown_kind > 0 then c.due_of_unknown_kind || ' due of a kind nobody knows' end
       ], null) as problems
       from counts c
     )
     select now() as checked_at, cardinality(problems) = 0 as ok, problems, due, next_due_at, running, leases_expired,
       held, failed_last_day, due_of_unknown_kind, last_tick_at from judged`,

  // In plpgsql, which looks at the right first: a plain query fails where a managed server withholds it.
  `create function tend.system_identifier() returns text
   language plpgsql stable set search_path = pg_catalog, pg_temp as $body$
   begin
     if has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') then
       return (select s.system_identifier from pg_control_system() s);
     end if;
     return null;
   end $body$`,

  // The name does not decide: renaming a database by hand makes no copy of it.
  `create function tend.copied_from() returns text
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
   end $body$`,

  `create function tend.adopt() returns bigint
   language plpgsql volatile set search_path = pg_catalog, pg_temp as $body$
   declare
     held_count bigint;
   begin
     perform from tend.meta m for update;
     if tend.copied_from() is null then
       return 0;
     end if;
     update tend.tasks t set state = 'held', reason = 'restored: adopted copy', lease_owner = null, lease_token = null,
         lease_until = null
      where t.state in ('waiting', 'running');
     get diagnostics held_count = row_count;
     update tend.meta m set epoch = m.epoch + 1, system_identifier = tend.system_identifier(),
         database_oid = d.oid, database_name = d.datname
       from pg_database d where d.datname = current_database();
     return held_count;
   end $body$`,

  `revoke all on all functions in schema tend from public`,

  `insert into tend.meta (schema_version, system_identifier, database_oid, database_name)
     select 1, tend.system_identifier(), d.oid, d.datname
       from pg_database d where d.datname = current_database()`,
];
