import type { Kysely } from 'kysely';
import { refuseCopy } from '../database/refuse-copy.ts';
import { schemaVersion } from '../database/schema-version.ts';
import type { SessionPool } from '../database/session-pool.ts';
import type { Database } from '../database/tables.ts';
import { errorCodeOf } from '../database/translate-database-error.ts';
import { TendError } from '../errors.ts';
import type { WorkerIdentity } from './worker-identity.ts';

/** What a tick learns in its first round trip; an idle tick needs no other. */
export interface TickBeginning {
  now: Date;
  /** When the first waiting task is or was due; null when none waits. */
  nextDueAt: Date | null;
  isAnythingDue: boolean;
  hasExpiredLeases: boolean;
  /** Owners of running tasks on this host, dead or alive. */
  ownersHere: string[];
  hasFinishedToPrune: boolean;
  /** Fingerprint of the kinds this host registered last; null on its first tick. */
  kindsFingerprint: string | null;
  /** The same of the schedules in its configuration. */
  schedulesFingerprint: string | null;
  /** Whether an occurrence of a schedule is due, or a schedule not planned yet. */
  isScheduleDue: boolean;
  /** Whether there is anything to tell of what broke or works again. */
  isAlertDue: boolean;
  /** Kinds with an alert: those whose success may be a recovery. */
  brokenKinds: string[];
}

/** What a tick begins with; it opens the database only where the first statement tells it to go on. */
export interface TickDatabase {
  sessions: Pick<SessionPool, 'query'>;
  /** Kysely over the same sessions. */
  openDatabase(): Promise<Kysely<Database>>;
}

export interface BeginTickOptions extends TickDatabase {
  worker: WorkerIdentity;
  keepSucceededMs: number;
  keepEndedMs: number;
}

interface FirstRow extends Omit<TickBeginning, 'isAlertDue' | 'brokenKinds'> {
  schemaVersion: number;
  copiedFrom: string | null;
  database: string;
  /** Null in a copy. */
  isSampled: boolean | null;
  /** `backup`, or `backup due` where there is something to tell. One column, since each costs the planner its time. */
  alerts: string[];
}

/**
 * Records that this host ticks and looks at everything a tick may have to do: one statement, one round trip.
 *
 * The first of a minute also samples the server's sessions, for the history of connections.
 *
 * Each look is O(1) whatever the table holds and however stale its statistics are: a `min()` reads the first entry of
 * a partial index, where `exists (… < now())` may be planned as a scan. No lock is taken but on this host's own row of
 * `tend.hosts`. What is broken is few rows, read as they are.
 *
 * It goes to the session as text: an idle tick, which sends nothing else, does without the query builder, whose loading
 * takes longer than the server takes to answer.
 *
 * @throws TendError SCHEMA_MISSING, SCHEMA_TOO_OLD, SCHEMA_TOO_NEW: a tick never migrates; DATABASE_IS_A_COPY: it
 *   never runs the tasks of another database either, and leaves no trace there.
 */
export async function beginTick(options: BeginTickOptions): Promise<TickBeginning> {
  const { sessions, worker, keepSucceededMs, keepEndedMs } = options;
  const statement = `
    with origin as materialized (
      select tend.copied_from() as copied_from
    ), host as (
      insert into tend.hosts as h (host, last_worker)
      select $1::text, $2 from origin where copied_from is null
      on conflict (host) do update
        set last_tick_at = now(), ticks = h.ticks + 1, last_worker = excluded.last_worker
      returning h.kinds_fingerprint, h.schedules_fingerprint
    ), due as (
      select min(run_at) as first from tend.tasks where state = 'waiting'
    )
    select now() as "now",
           (select schema_version from tend.meta) as "schemaVersion",
           (select copied_from from origin) as "copiedFrom",
           current_database() as "database",
           due.first as "nextDueAt",
           coalesce(due.first <= now(), false) as "isAnythingDue",
           coalesce((select min(lease_until) from tend.tasks where state = 'running') < now(), false)
             as "hasExpiredLeases",
           array(select distinct lease_owner from tend.tasks
                  where state = 'running' and starts_with(lease_owner, $1::text || ':')) as "ownersHere",
           coalesce((select min(finished_at) from tend.tasks where state = 'succeeded')
                      < now() - $3::float8 * interval '1 ms', false)
             or coalesce((select min(finished_at) from tend.tasks where state in ('failed', 'cancelled', 'missed'))
                      < now() - $4::float8 * interval '1 ms', false) as "hasFinishedToPrune",
           coalesce((select min(next_slot) from tend.schedules where enabled) <= now(), false) as "isScheduleDue",
           (select kinds_fingerprint from host) as "kindsFingerprint",
           (select schedules_fingerprint from host) as "schedulesFingerprint",
           (select tend.sample_connections() from origin where copied_from is null) as "isSampled",
           array(select kind || case when due_at <= now() then ' due' else '' end from tend.alerts) as "alerts"
      from due`;
  const parameters = [worker.host, worker.owner, keepSucceededMs, keepEndedMs];
  const [row] = await sessions.query<FirstRow>(statement, parameters).catch(async (error: unknown) => {
    // Another schema than ours may lack what the statement names: say that instead of "column does not exist".
    if (errorCodeOf(error)?.startsWith('42') || errorCodeOf(error)?.startsWith('3F'))
      await refuseOtherSchema(options);
    throw error;
  });
  if (row === undefined || row.schemaVersion !== schemaVersion) await refuseOtherSchema(options);
  if (row === undefined) throw new TendError('BUG', 'The first statement of the tick returned no row.');
  refuseCopy(row.copiedFrom, row.database);
  const isAlertDue = row.alerts.some((alert) => alert.endsWith(' due'));
  return { ...row, isAlertDue, brokenKinds: row.alerts.map((alert) => alert.replace(/ due$/, '')) };
}

async function refuseOtherSchema({ openDatabase }: TickDatabase): Promise<void> {
  const { requireSchema } = await import('../database/require-schema.ts');
  await requireSchema(await openDatabase());
}
