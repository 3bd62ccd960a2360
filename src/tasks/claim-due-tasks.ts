import { type Kysely, sql } from 'kysely';
import { repeatOnConflict } from '../database/repeat-on-conflict.ts';
import type { Database } from '../database/tables.ts';
import { candidates, claimedColumns, lease } from './claim-statement.ts';
import { claimWithinLimits } from './claim-within-limits.ts';
import type { WorkerIdentity } from './worker-identity.ts';

/** A task that this worker now holds under a lease. */
export interface ClaimedTask {
  id: number;
  kind: string;
  attempt: number;
  maxAttempts: number;
  token: string;
  owner: string;
  startedAt: Date;
  /** Has a unique key, which it needs again should it wait again. */
  isKeyed: boolean;
  /** Null for a large payload, which is fetched when the attempt starts. */
  payload: Record<string, unknown> | null;
}

export interface ClaimOptions {
  db: Kysely<Database>;
  worker: WorkerIdentity;
  leaseMs: number;
  /** Kinds this worker can run; a row of any other is left for somebody who can. */
  kinds: readonly string[];
  /** Only these queues; all when undefined. */
  queues?: readonly string[] | undefined;
  /** At most this many. */
  count: number;
  /**
   * How many of them can start this instant, `count` unless given. What is claimed beyond them waits for a slot in this
   * worker for a moment, so it must neither hold a mutex or a place of its kind's limit meanwhile nor need a person should
   * the worker die.
   */
  startable?: number | undefined;
  /** At most this many running on this host, over all its ticks; no limit when undefined. */
  hostLimit?: number | undefined;
}

/**
 * Claims due tasks in the order priority, run_at, id. No transaction is held afterwards.
 *
 * Rows are locked with FOR NO KEY UPDATE SKIP LOCKED: two claims never wait for each other nor take the same row (the
 * weaker lock also passes rows that a foreign key check holds). Rows whose mutex is held are skipped, and of several
 * with the same mutex one is taken; two claims that race for one mutex are decided by the unique index, and the loser
 * claims again: one row only, since two batches that take several mutexes in different order could wait for each other.
 * Limits (of a kind over all hosts, of a host over all kinds) work the same way with numbered places. What is paused is
 * left alone.
 */
export async function claimDueTasks(options: ClaimOptions): Promise<ClaimedTask[]> {
  return await repeatOnConflict(async (attempt) => {
    const once = attempt === 1 ? options : { ...options, count: 1 };
    const unlimited = once.hostLimit === undefined ? await claimUnlessLimited(once) : undefined;
    return unlimited ?? (await claimWithinLimits(once));
  }, 20);
}

/**
 * One statement where no kind has a limit, which is the usual case: to plan places takes as long as the rest of it.
 * Undefined, and nothing claimed, where one has.
 */
async function claimUnlessLimited(options: ClaimOptions): Promise<ClaimedTask[] | undefined> {
  const { kinds, count } = options;
  const { rows } = await sql<(ClaimedTask | { id: null }) & { isLimited: boolean }>`
    with limits as materialized (
      select exists (select from tend.kinds k where k.max_running is not null and k.kind = any(${kinds}::text[]))
        as are_there
    ), candidates as (${candidates(options, {
      limit: sql`${count}`,
      condition: sql`not (select l.are_there from limits l)`,
    })}
    ), chosen as (
      select id, row_number() over (
               partition by coalesce('m' || mutex, 'i' || id) order by priority, run_at, id) as place,
             (mutex is null and on_lost = 'retry')
               or row_number() over (order by priority, run_at, id) <= ${options.startable ?? count} as may_wait
        from candidates
    ), won as (
      update tend.tasks t set ${lease(options)}, limit_place = null, host_place = null
        from chosen
       where t.id = chosen.id and chosen.place = 1 and chosen.may_wait
      returning t.*
    )
    select ${claimedColumns}, l.are_there as "isLimited"
      from limits l left join won t on true order by t.priority, t.run_at, t.id`.execute(options.db);
  if (rows[0]?.isLimited === true) return undefined;
  return rows.filter((row) => row.id !== null);
}
