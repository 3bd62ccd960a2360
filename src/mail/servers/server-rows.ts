import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { fingerprintServer, type MailServer } from './mail-server.ts';

/** After a failure that only a person can mend, until it is tried again without a change of the settings. */
const configurationPauseMs = 15 * 60_000;

/** A server as the ticks found it last. */
export interface ServerRow {
  failureClass: 'server' | 'configuration' | null;
  reason: string | null;
  fingerprint: string;
  /** It is not to be tried yet, unless its settings have changed. */
  isPaused: boolean;
}

/** Undefined for a server that no tick has tried. */
export async function findServerRow(db: Kysely<Database>, name: string): Promise<ServerRow | undefined> {
  const { rows } = await sql<ServerRow>`
    select failure_class as "failureClass", reason, settings_fingerprint as fingerprint,
           coalesce(retry_at > now(), false) as "isPaused"
      from tend.mail_servers where name = ${name}`.execute(db);
  return rows[0];
}

/** Returns whether this is the first failure of its class since the server worked. */
export async function recordServerFailure(
  db: Kysely<Database>,
  server: MailServer,
  { failureClass, reason }: { failureClass: 'server' | 'configuration'; reason: string },
): Promise<boolean> {
  const pauseMs = failureClass === 'configuration' ? configurationPauseMs : 0;
  const { rows } = await sql<{ isNews: boolean }>`
    with before as materialized (
      select failure_class from tend.mail_servers where name = ${server.name}
    ), written as (
      insert into tend.mail_servers as s
             (name, settings_fingerprint, failing_since, failures, failure_class, reason, retry_at)
      values (${server.name}, ${fingerprintServer(server)}, now(), 1, ${failureClass}, ${reason},
              now() + ${pauseMs}::float8 * interval '1 ms')
      on conflict (name) do update
         set settings_fingerprint = excluded.settings_fingerprint, failures = s.failures + 1,
             failing_since = coalesce(s.failing_since, now()), failure_class = excluded.failure_class,
             reason = excluded.reason, retry_at = excluded.retry_at
    )
    select coalesce((select failure_class from before) is distinct from ${failureClass}, true) as "isNews"`.execute(
    db,
  );
  return rows[0]?.isNews ?? true;
}

/** Written at most every ten seconds, unless the server was failing. */
export async function recordServerSuccess(
  db: Kysely<Database>,
  server: MailServer,
  { wasFailing }: { wasFailing: boolean },
): Promise<void> {
  await sql`
    insert into tend.mail_servers as s (name, settings_fingerprint, last_success_at)
    values (${server.name}, ${fingerprintServer(server)}, now())
    on conflict (name) do update
       set settings_fingerprint = excluded.settings_fingerprint, last_success_at = now(), failures = 0,
           failing_since = null, failure_class = null, reason = null, retry_at = null
     where ${wasFailing} or s.last_success_at is null or s.last_success_at < now() - interval '10 s'`.execute(
    db,
  );
}
