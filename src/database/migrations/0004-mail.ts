import { type QueryExecutorProvider, sql } from 'kysely';

/**
 * What mail needs beyond one row a message: servers that fail, rates, suppressed addresses, attachments, bounces.
 *
 * Why it is shaped so:
 * - A server's failure is remembered outside the tasks: the next tick tries it with one message and not with all.
 * - A rate is one moment a bucket (the generic cell rate algorithm, ITU-T I.371): the next message may leave then. Nothing
 *   has to be counted or cleaned up, and processes share it.
 * - Suppressed addresses are kept in lower case: RFC 5321 lets a server tell "Bob" from "bob", and none does.
 * - An attachment is a row of its own, so that a thousand messages can name one.
 */
export async function up(db: QueryExecutorProvider): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `alter table tend.deliveries
     add column server text,
     add column bounced_at timestamptz`,
  // Three updates a message: with room in its page none of them touches an index.
  `alter table tend.deliveries set (fillfactor = 60)`,

  `create table tend.mail_servers (
     name text primary key check (octet_length(name) between 1 and 200),
     settings_fingerprint text not null,
     failing_since timestamptz,
     failures integer not null default 0,
     failure_class text check (failure_class in ('server', 'configuration')),
     reason text,
     retry_at timestamptz,
     last_success_at timestamptz,
     check ((failing_since is null) = (failures = 0)),
     check ((failing_since is null) = (failure_class is null))
   )`,

  `create table tend.mail_rates (
     bucket text primary key check (octet_length(bucket) between 1 and 500),
     next_at timestamptz not null
   )`,

  `create table tend.suppressions (
     address text primary key check (octet_length(address) between 3 and 500) check (address = lower(address)),
     reason text not null check (reason in ('bounce', 'complaint', 'unsubscribe', 'manual')),
     detail text,
     created_at timestamptz not null default now(),
     created_by text not null default session_user
   )`,

  `create table tend.attachments (
     id bigint primary key generated always as identity,
     filename text not null check (octet_length(filename) between 1 and 255),
     content_type text,
     content bytea not null,
     created_at timestamptz not null default now(),
     expires_at timestamptz not null default now() + interval '30 days'
   )`,
  `create index attachments_expired on tend.attachments (expires_at)`,
  // Most attachments are compressed already, and parts of what is not compressed can be read alone.
  `alter table tend.attachments alter column content set storage external`,

  `update tend.meta set schema_version = 4`,
];
