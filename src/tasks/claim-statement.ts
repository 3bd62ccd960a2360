import { type RawBuilder, sql } from 'kysely';
import type { ClaimedTask, ClaimOptions } from './claim-due-tasks.ts';

/** The columns a claim returns, shared by every way to claim. */
export const claimedColumns: RawBuilder<ClaimedTask> = sql`
  t.id, t.kind, t.attempt, t.max_attempts as "maxAttempts", t.lease_token as token, t.lease_owner as owner,
  t.started_at as "startedAt", t.unique_key is not null as "isKeyed",
  case when pg_column_size(t.payload) <= 16384 then t.payload end as payload`;

/** What a claim writes into the row `t`, but for the places it takes. */
export function lease({ worker, leaseMs }: Pick<ClaimOptions, 'worker' | 'leaseMs'>): RawBuilder<unknown> {
  return sql`
    state = 'running', attempt = t.attempt + 1, started_at = now(), reason = null, lease_owner = ${worker.owner},
    lease_token = gen_random_uuid(), lease_until = now() + ${leaseMs}::float8 * interval '1 ms',
    cancel_requested_at = null`;
}

/**
 * Waiting rows that are due here, neither paused nor kept back by their mutex, in claim order and locked.
 *
 * The conditions that other rows decide are a CASE for the planner's sake, which takes that for true of every second
 * row. Written plainly, each is estimated to be true of hardly any (`kind <> all` of some kinds, where most rows are of
 * one), and then the whole backlog is read and sorted for every claim.
 */
export function candidates(
  options: ClaimOptions,
  limits: {
    limit: RawBuilder<unknown>;
    condition: RawBuilder<unknown>;
    saturatedKinds?: RawBuilder<unknown>;
  },
): RawBuilder<unknown> {
  const { worker, kinds, queues } = options;
  const { limit, condition, saturatedKinds } = limits;
  return sql`
    select t.id, t.kind, t.mutex, t.on_lost, t.priority, t.run_at
      from tend.tasks t
     where t.state = 'waiting' and t.run_at <= now()
       and t.kind = any(${kinds}::text[]) and (t.host is null or t.host = ${worker.host})
       ${queues === undefined ? sql`` : sql`and t.queue = any(${queues}::text[])`}
       and case when t.kind = any(array(select p.name from tend.pauses p where p.scope = 'kind'
                                        ${saturatedKinds === undefined ? sql`` : sql`union all ${saturatedKinds}`}))
                then false
                when t.queue = any(array(select p.name from tend.pauses p where p.scope = 'queue')) then false
                when t.mutex = any(array(
                       select r.mutex from tend.tasks r where r.state = 'running' and r.mutex is not null))
                then false
                else true end
       and ${condition}
     order by t.priority, t.run_at, t.id
     limit ${limit}
       for no key update of t skip locked`;
}
