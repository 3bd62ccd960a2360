import { type QueryExecutorProvider, sql } from 'kysely';
import { systemIdentifier } from '../sql-api/system-identifier.ts';

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

  systemIdentifier,
  `insert into tend.meta (schema_version, system_identifier, database_oid, database_name)
     select 1, tend.system_identifier(), d.oid, d.datname
       from pg_database d where d.datname = current_database()`,
];
