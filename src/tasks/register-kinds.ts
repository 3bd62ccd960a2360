import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { kindRows, kindsFingerprint, type RegisteredKind } from './kinds-fingerprint.ts';

/**
 * Tells the database which kinds this host runs and their defaults, so that `tend.enqueue` fills them in and
 * `tend.health` knows which kinds nobody runs. Waiting rows of a kind that was unknown when they came get its mutex
 * and attempts, unless they name their own, and its on_lost; rows that would not change are left alone, since there may be a million of them.
 * Kinds are never removed: another host may run them.
 *
 * @param options.host also remembers the fingerprint for this host, so that its next tick need not repeat it.
 */
export async function registerKinds(options: {
  db: Kysely<Database>;
  kinds: ReadonlyMap<string, RegisteredKind>;
  host?: string;
}): Promise<void> {
  const rows = kindRows(options.kinds.values());
  const host = options.host ?? null;
  const attempts = sql`case when t.max_attempts_given then t.max_attempts
                            else least(t.attempt + g.max_attempts, 32767)::smallint end`;
  await sql`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        as k (kind text, source text, max_attempts smallint, on_lost text, mutex text, max_running integer)
    ), written as (
      insert into tend.kinds as k (kind, source, max_attempts, on_lost, mutex, max_running)
      select kind, source, max_attempts, on_lost, mutex, max_running from given order by kind
      on conflict (kind) do update
        set source = excluded.source, max_attempts = excluded.max_attempts, on_lost = excluded.on_lost,
            mutex = excluded.mutex, max_running = excluded.max_running, updated_at = now()
      where (k.source, k.max_attempts, k.on_lost, k.mutex, k.max_running)
            is distinct from
            (excluded.source, excluded.max_attempts, excluded.on_lost, excluded.mutex, excluded.max_running)
    ), filled as (
      update tend.tasks t set mutex = coalesce(t.mutex, g.mutex), on_lost = g.on_lost, max_attempts = ${attempts}
        from given g
       where t.kind = g.kind and t.state = 'waiting'
         and (t.mutex, t.on_lost, t.max_attempts)
             is distinct from (coalesce(t.mutex, g.mutex), g.on_lost, ${attempts})
         and not exists (select from tend.kinds k where k.kind = g.kind)
    )
    update tend.hosts set kinds_fingerprint = ${kindsFingerprint(options.kinds.values())} where host = ${host}`.execute(
    options.db,
  );
}
