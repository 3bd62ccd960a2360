import { type Kysely, sql } from 'kysely';
import type { Config } from '../config/schema.ts';
import type { Database } from '../database/tables.ts';

/** `[app] heal` of the configuration. */
export type AppHealing = NonNullable<Config['app']['heal']>;

/** What the checks of one host's application add up to, this one included. */
export interface CheckHistory {
  /** Failed checks in a row since the last restart. */
  failures: number;
  failingSince: Date | null;
  /** Restarts since it was healthy last. */
  restarts: number;
  /**
   * `restart` after enough failures; `report` when as many restarts as allowed did not help, once; `recovered` when it is
   * healthy again after that was reported; `wait` otherwise.
   */
  next: 'wait' | 'restart' | 'report' | 'recovered';
}

interface NoteCheckOptions {
  db: Kysely<Database>;
  host: string;
  healing: AppHealing;
}

/**
 * Notes a failed check and says what follows from it: one bad answer restarts nothing, and a restart that is under way or
 * waiting is not asked for twice.
 */
export async function noteFailedCheck(options: NoteCheckOptions & { error: string }): Promise<CheckHistory> {
  const { db, host, healing, error } = options;
  const { rows } = await sql<CheckHistory>`
    with noted as (
      insert into tend.app_health as h (host, failures, failing_since, last_error)
      values (${host}, 1, now(), ${error})
      on conflict (host) do update
        set failures = h.failures + 1, failing_since = coalesce(h.failing_since, now()), last_error = excluded.last_error,
            checked_at = now()
      returning h.*
    ), decided as (
      select n.*, case
               when n.failures < ${healing.after}::integer then 'wait'
               when exists (select from tend.tasks t where t.kind = 'restart-app' and t.state in ('waiting', 'running')
                              and t.host = ${host}) then 'wait'
               when n.restarts < ${healing.max_restarts}::integer then 'restart'
               when n.is_reported then 'wait' else 'report' end as next
        from noted n
    )
    select failures, failing_since as "failingSince", restarts, next from decided`.execute(db);
  const [history] = rows;
  if (history === undefined) throw new Error('a noted check returned no row');
  if (history.next === 'report')
    await sql`update tend.app_health set is_reported = true where host = ${host}`.execute(db);
  return history;
}

/** Notes a check that passed: whatever was counted is forgotten. */
export async function notePassedCheck({
  db,
  host,
}: Omit<NoteCheckOptions, 'healing'>): Promise<CheckHistory> {
  const { rows } = await sql<CheckHistory>`
    with was as (
      select * from tend.app_health where host = ${host} and (failures > 0 or restarts > 0 or is_reported)
    ), noted as (
      update tend.app_health h
         set failures = 0, failing_since = null, last_error = null, restarts = 0, restarted_at = null, is_reported = false,
             checked_at = now()
        from was where h.host = was.host
    )
    select 0 as failures, failing_since as "failingSince", restarts,
           case when is_reported then 'recovered' else 'wait' end as next from was`.execute(db);
  return rows[0] ?? { failures: 0, failingSince: null, restarts: 0, next: 'wait' };
}

/** Notes that the application is restarted because checks failed: the count begins anew. */
export async function noteRestart({ db, host }: Omit<NoteCheckOptions, 'healing'>): Promise<void> {
  await sql`
    update tend.app_health set failures = 0, restarts = restarts + 1, restarted_at = now() where host = ${host}`.execute(
    db,
  );
}
