import { type Kysely, type RawBuilder, sql } from 'kysely';
import { repeatOnConflict } from '../database/repeat-on-conflict.ts';
import type { Database } from '../database/tables.ts';
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
   * worker for a moment, so it must neither hold a mutex meanwhile nor need a person should the worker die.
   */
  startable?: number | undefined;
  /** At most this many running on this host, over all its ticks; no limit when undefined. */
  hostLimit?: number | undefined;
}

/** The columns a claim returns, shared by every way to claim. */
export const claimedColumns: RawBuilder<ClaimedTask> = sql`
  t.id, t.kind, t.attempt, t.max_attempts as "maxAttempts", t.lease_token as token, t.lease_owner as owner,
  t.started_at as "startedAt", case when pg_column_size(t.payload) <= 16384 then t.payload end as payload`;

/**
 * Claims due tasks in the order priority, run_at, id. One statement, no transaction held afterwards.
 *
 * Rows are locked with FOR NO KEY UPDATE SKIP LOCKED: two claims never wait for each other nor take the same row (the
 * weaker lock also passes rows that a foreign key check holds). Rows whose mutex is held are skipped, and of several
 * with the same mutex one is taken; two claims that race for one mutex are decided by the unique index, and the loser
 * claims again: one row only, since two batches that take several mutexes in different order could wait for each other.
 * Limits (of a kind over all hosts, of a host over all kinds) work the same way with numbered places. What is paused is
 * left alone.
 */
export async function claimDueTasks(options: ClaimOptions): Promise<ClaimedTask[]> {
  return await repeatOnConflict(
    async (attempt) => await claimOnce(attempt === 1 ? options : { ...options, count: 1 }),
    20,
  );
}

async function claimOnce(options: ClaimOptions): Promise<ClaimedTask[]> {
  const { worker, hostLimit } = options;
  const queues = options.queues === undefined ? sql`` : sql`and t.queue = any(${options.queues}::text[])`;
  const { rows } = await sql<ClaimedTask>`
    with ${freePlaces}, ${hostLimit === undefined ? sql`` : freeHostPlaces(worker.host, hostLimit)}
    candidates as (
      select t.id, t.kind, t.mutex, t.on_lost, t.priority, t.run_at
        from tend.tasks t
       where t.state = 'waiting' and t.run_at <= now()
         and t.kind = any(${options.kinds}::text[])
         and t.kind <> all (array(select p.name from tend.pauses p where p.scope = 'kind'))
         and t.queue <> all (array(select p.name from tend.pauses p where p.scope = 'queue'))
         and t.kind <> all (array(select k.kind from tend.kinds k where k.max_running is not null
               and not exists (select from free_places f where f.kind = k.kind)))
         and (t.host is null or t.host = ${worker.host})
         ${queues}
         and (t.mutex is null or t.mutex <> all (array(
               select r.mutex from tend.tasks r where r.state = 'running' and r.mutex is not null)))
       order by t.priority, t.run_at, t.id
       limit ${options.count}
         for no key update of t skip locked
    ), ranked as (
      select c.*, row_number() over (
               partition by coalesce('m' || mutex, 'i' || id) order by priority, run_at, id) as place,
             (mutex is null and on_lost = 'retry')
               or row_number() over (order by priority, run_at, id) <= ${options.startable ?? options.count} as may_wait
        from candidates c
    ), chosen as (
      select r.id, r.kind, k.max_running is not null as is_limited,
             row_number() over (partition by r.kind order by r.priority, r.run_at, r.id) as of_kind,
             row_number() over (order by r.priority, r.run_at, r.id) as of_host
        from ranked r left join tend.kinds k on k.kind = r.kind
       where r.place = 1 and r.may_wait
    ), placed as (
      select c.id, f.limit_place, ${hostLimit === undefined ? sql`null::smallint` : sql`h.host_place`} as host_place
        from chosen c left join free_places f on f.kind = c.kind and f.nth = c.of_kind
             ${hostLimit === undefined ? sql`` : sql`join free_host_places h on h.nth = c.of_host`}
       where not c.is_limited or f.limit_place is not null
    ), won as (
      update tend.tasks t
         set state = 'running', attempt = t.attempt + 1, started_at = now(), reason = null,
             lease_owner = ${worker.owner}, lease_token = gen_random_uuid(),
             lease_until = now() + ${options.leaseMs}::float8 * interval '1 ms', cancel_requested_at = null,
             limit_place = p.limit_place, host_place = p.host_place
        from placed p
       where t.id = p.id
      returning t.*
    )
    select ${claimedColumns} from won t order by t.priority, t.run_at, t.id`.execute(options.db);
  return rows;
}

/**
 * The places that kinds with `max_running` have left, numbered from the first. A running task takes one, and two claims
 * that take the same are decided by a unique index, as for a mutex.
 */
const freePlaces = sql`
  free_places as materialized (
    select k.kind, n.place::smallint as limit_place, row_number() over (partition by k.kind order by n.place) as nth
      from tend.kinds k cross join lateral generate_series(1, k.max_running) as n (place)
     where k.max_running is not null
       and not exists (select from tend.tasks r where r.state = 'running' and r.kind = k.kind and r.limit_place = n.place)
  )`;

/** The same for all kinds together on one host, over all ticks that overlap there. */
function freeHostPlaces(host: string, limit: number): RawBuilder<unknown> {
  return sql`
    free_host_places as materialized (
      select n.place::smallint as host_place, row_number() over (order by n.place) as nth
        from generate_series(1, ${limit}::integer) as n (place)
       where not exists (
         select from tend.tasks r
          where r.state = 'running' and split_part(r.lease_owner, ':', 1) = ${host} and r.host_place = n.place)
    ),`;
}
