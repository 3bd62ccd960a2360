import { type Kysely, sql } from 'kysely';
import { repeatOnConflict } from '../database/repeat-on-conflict.ts';
import type { Database } from '../database/tables.ts';
import { noteOutcomes } from './note-outcomes.ts';
import type { TaskState } from './states.ts';

export interface ReapedTask {
  id: number;
  kind: string;
  attempt: number;
  owner: string;
  state: TaskState;
}

const batch = 100;

/**
 * Ends the attempts whose worker is gone: the lease expired, or the owner is known to be dead on this host. Each goes
 * where its row says: cancelled when that was asked for, held with on_lost = hold, failed without attempts left,
 * else waiting again; the attempt is recorded as lost, and what failed or is held by it is noted as broken.
 *
 * Rows are locked with SKIP LOCKED and the condition is checked again under the lock, so a worker that renews or
 * finishes in between wins, and two reapers share the work. Goes on until nothing is left.
 *
 * Of those with a unique key each statement takes one: two such rows cannot both wait again under one key, and a
 * statement that held a second key while it waits for an application could wait in a circle with it.
 */
export async function reapLostTasks(options: {
  db: Kysely<Database>;
  deadOwners: readonly string[];
}): Promise<ReapedTask[]> {
  const reaped: ReapedTask[] = [];
  for (;;) {
    const rows = await repeatOnConflict(() => reapBatch(options));
    reaped.push(...rows.map(({ isKeyed: _, ...task }) => task));
    const mayBeMore = rows.some(({ isKeyed }) => isKeyed) || rows.length >= batch;
    if (!mayBeMore) return reaped;
  }
}

async function reapBatch({
  db,
  deadOwners,
}: {
  db: Kysely<Database>;
  deadOwners: readonly string[];
}): Promise<(ReapedTask & { isKeyed: boolean })[]> {
  const lost = (isKeyed: boolean) => sql`
      select t.* from tend.tasks t
       where t.state = 'running' and (t.lease_until < now() or t.lease_owner = any(${deadOwners}::text[]))
         and (t.unique_key is not null) = ${isKeyed}
       order by t.lease_until
       limit ${isKeyed ? 1 : batch}
         for no key update skip locked`;
  const { rows } = await sql<ReapedTask & { isKeyed: boolean }>`
    with lost_keyless as (${lost(false)}
    ), lost_keyed as (${lost(true)}
    ), lost as (
      select * from lost_keyless union all select * from lost_keyed
    ), decided as (
      select l.id, l.kind, l.attempt, l.lease_token, l.lease_owner, l.started_at,
             'worker ' || split_part(l.lease_owner, ':', 1) || ':' || split_part(l.lease_owner, ':', 2)
               || case when l.lease_until < now() then ' let its lease expire' else ' died' end as story,
             case when l.cancel_requested_at is not null then 'cancelled'
                  when l.on_lost = 'hold' then 'held'
                  when l.attempt >= l.max_attempts then 'failed'
                  when l.unique_key is not null and exists (
                    select from tend.tasks w where w.unique_key = l.unique_key and w.state = 'waiting')
                  then 'cancelled'
                  else 'waiting' end as next_state,
             l.cancel_requested_at is not null as was_cancelled, l.unique_key is not null as is_keyed
        from lost l
    ), moved as (
      update tend.tasks t
         set state = d.next_state, lease_owner = null, lease_token = null, lease_until = null,
             finished_at = case when d.next_state in ('failed', 'cancelled') then now() end,
             run_at = case when d.next_state = 'waiting'
                           then now() + least(d.attempt, 10) * interval '10 seconds' else t.run_at end,
             last_error = 'lost: ' || d.story,
             reason = case d.next_state
                        when 'held' then 'lost: ' || d.story || ', and on_lost = hold'
                        when 'failed' then 'lost with no attempts left'
                        when 'cancelled' then case when d.was_cancelled then 'cancel was requested'
                                                   else 'superseded by a newer task with the same unique key' end end
        from decided d
       where t.id = d.id and t.state = 'running' and t.lease_token = d.lease_token
      returning t.id, t.state ${noteOutcomes.columns}
    ), recorded as (
      insert into tend.attempts (task_id, token, attempt, owner, started_at, outcome, error)
      select d.id, d.lease_token, d.attempt, d.lease_owner, d.started_at, 'lost', d.story
        from decided d join moved m on m.id = d.id
    ) ${noteOutcomes.noted}
    select d.id, d.kind, d.attempt, d.lease_owner as owner, d.next_state as state, d.is_keyed as "isKeyed"
      from decided d join moved m on m.id = d.id`.execute(db);
  return rows;
}
