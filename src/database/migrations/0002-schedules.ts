import { type QueryExecutorProvider, sql } from 'kysely';

/**
 * Schedules, pauses, limits, tasks on every host, and the health of the application over several checks.
 *
 * Why it is shaped so:
 * - An occurrence is a task. That there is one a slot is a unique index (while rows are kept) and a compare-and-set on
 *   `next_slot` (when they are pruned or edited): either one alone has a hole.
 * - `next_slot = -infinity` is a schedule that no tick has planned yet, so that one comparison finds all there is to do.
 * - `declared_by` names the hosts whose tend.toml holds the schedule: it goes when the last of them withdraws it.
 * - A limit is a numbered place that a running task takes, under a unique index like a mutex: counting running rows
 *   would let two claims at once through.
 * - The indexes are partial: a task of no schedule and no limit pays nothing for them.
 * - The first version's `tend.adopt()` goes: beside `tend.adopt(text default …)` no call without an argument is unique.
 */
export async function up(db: QueryExecutorProvider): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table tend.schedules (
     name text primary key check (name ~ '^[a-z0-9][a-z0-9._:-]{0,62}$'),
     source text not null check (source in ('config', 'sql')),
     declared_by text[] not null default '{}',
     cron text not null check (octet_length(cron) between 1 and 1000),
     timezone text not null default 'UTC' check (octet_length(timezone) between 1 and 100),
     kind text not null check (kind ~ '^[a-z0-9][a-z0-9._:-]{0,62}$'),
     payload jsonb not null default '{}' check (jsonb_typeof(payload) = 'object'),
     queue text not null default 'default' check (octet_length(queue) between 1 and 200),
     priority smallint not null default 0,
     host text check (host ~ '^([^\\s:*]{1,200}|[*])$'),
     catch_up text not null default 'latest' check (catch_up in ('none', 'latest', 'all')),
     max_late interval not null default '1 day' check (max_late >= '0'),
     overlap text not null default 'skip' check (overlap in ('skip', 'queue')),
     enabled boolean not null default true,
     disabled_reason text,
     next_slot timestamptz not null default '-infinity',
     last_slot timestamptz,
     defined_at timestamptz not null default now(),
     problem text,
     conflict text,
     created_at timestamptz not null default now(),
     created_by text not null default session_user,
     check ((source = 'config') = (declared_by <> '{}'))
   )`,
  `create index schedules_next on tend.schedules (next_slot) where enabled`,

  `create table tend.pauses (
     scope text not null check (scope in ('kind', 'queue')),
     name text not null check (octet_length(name) between 1 and 200),
     reason text,
     paused_at timestamptz not null default now(),
     paused_by text not null default session_user,
     primary key (scope, name)
   )`,

  `create table tend.app_health (
     host text primary key,
     failures integer not null default 0,
     failing_since timestamptz,
     last_error text,
     restarts integer not null default 0,
     restarted_at timestamptz,
     is_reported boolean not null default false,
     checked_at timestamptz not null default now()
   )`,

  `alter table tend.kinds add column max_running integer check (max_running between 1 and 10000)`,
  `alter table tend.hosts add column schedules_fingerprint text`,
  `alter table tend.tasks
     add column schedule text,
     add column slot_at timestamptz,
     add column fan_out bigint,
     add column enqueued_by bigint,
     add column limit_place smallint,
     add column host_place smallint`,
  `create unique index tasks_occurrence on tend.tasks (schedule, slot_at, coalesce(host, '')) where schedule is not null`,
  `create index tasks_schedule_unfinished on tend.tasks (schedule)
     where schedule is not null and state in ('waiting', 'running')`,
  `create index tasks_fan_out on tend.tasks (fan_out) where fan_out is not null`,
  `create index tasks_enqueued_by on tend.tasks (enqueued_by) where enqueued_by is not null`,
  `create unique index tasks_limit_place on tend.tasks (kind, limit_place)
     where state = 'running' and limit_place is not null`,
  `create unique index tasks_host_place on tend.tasks (split_part(lease_owner, ':', 1), host_place)
     where state = 'running' and host_place is not null`,

  `drop function if exists tend.adopt()`,

  `update tend.meta set schema_version = 2`,
];
