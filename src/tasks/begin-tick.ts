import { type Kysely, sql } from 'kysely';
import { findMigrations, schemaTooNew, schemaVersion } from '../database/migrate.ts';
import { refuseCopy } from '../database/require-own-database.ts';
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
}

/**
 * Records that this host ticks and looks at everything a tick may have to do: one statement, one round trip.
 *
 * Each look is O(1) whatever the table holds and however stale its statistics are: a `min()` reads the first entry of
 * a partial index, where `exists (… < now())` may be planned as a scan. No lock is taken but on this host's own row of
 * `tend.hosts`.
 *
 * @throws TendError SCHEMA_MISSING, SCHEMA_TOO_OLD, SCHEMA_TOO_NEW: a tick never migrates; DATABASE_IS_A_COPY: it
 *   never runs the tasks of another database either, and leaves no trace there.
 */
export async function beginTick(options: {
  db: Kysely<Database>;
  worker: WorkerIdentity;
  keepSucceededMs: number;
  keepEndedMs: number;
}): Promise<TickBeginning> {
  const { db, worker } = options;
  const query = sql<TickBeginning & { schemaVersion: number; copiedFrom: string | null; database: string }>`
    with origin as materialized (
      select tend.copied_from() as copied_from
    ), host as (
      insert into tend.hosts as h (host, last_worker)
      select ${worker.host}, ${worker.owner} from origin where copied_from is null
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
                  where state = 'running' and starts_with(lease_owner, ${`${worker.host}:`})) as "ownersHere",
           coalesce((select min(finished_at) from tend.tasks where state = 'succeeded')
                      < now() - ${options.keepSucceededMs}::float8 * interval '1 ms', false)
             or coalesce((select min(finished_at) from tend.tasks where state in ('failed', 'cancelled', 'missed'))
                      < now() - ${options.keepEndedMs}::float8 * interval '1 ms', false) as "hasFinishedToPrune",
           coalesce((select min(next_slot) from tend.schedules where enabled) <= now(), false) as "isScheduleDue",
           (select kinds_fingerprint from host) as "kindsFingerprint",
           (select schedules_fingerprint from host) as "schedulesFingerprint"
      from due`;
  const row = await query.execute(db).then(
    ({ rows }) => rows[0],
    async (error: unknown) => {
      // Another schema than ours may lack what the statement names: say that instead of "column does not exist".
      if (errorCodeOf(error)?.startsWith('42') || errorCodeOf(error)?.startsWith('3F'))
        await requireSchema(db);
      throw error;
    },
  );
  if (row === undefined || row.schemaVersion !== schemaVersion) await requireSchema(db);
  if (row === undefined) throw new TendError('BUG', 'The first statement of the tick returned no row.');
  refuseCopy(row.copiedFrom, row.database);
  return row;
}

/**
 * Stops with 78 unless the database has exactly this program's schema.
 *
 * @throws TendError SCHEMA_MISSING, SCHEMA_TOO_OLD, SCHEMA_TOO_NEW.
 */
export async function requireSchema(db: Kysely<Database>): Promise<void> {
  const status = await findMigrations(db);
  if (status.unknown.length > 0) throw schemaTooNew(status.unknown.join(', '));
  const missing = status.migrations.filter(({ appliedAt }) => appliedAt === null);
  if (missing.length === status.migrations.length) {
    throw new TendError('SCHEMA_MISSING', 'The database has no schema "tend" yet.', {
      hint: 'tend migrations up',
    });
  }
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    throw new TendError(
      'SCHEMA_TOO_OLD',
      `Schema "tend" in the database is older than this program: ${names} pending.`,
      {
        hint: 'tend migrations up',
      },
    );
  }
}
