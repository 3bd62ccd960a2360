import { type Kysely, sql } from 'kysely';
import { requireOwnDatabase } from '../database/require-own-database.ts';
import { requireSchema } from '../database/require-schema.ts';
import type { Database } from '../database/tables.ts';
import { type Paused, resumeCommand } from './pause-tasks.ts';
import { isDeadHere, type WorkerIdentity } from './worker-identity.ts';

export interface PlannedTask {
  id: number;
  kind: string;
  queue: string;
  runAt: Date;
  /** Null where the tick would run it; else why not. */
  blockedBy: 'unknown kind' | 'other host' | 'paused' | 'mutex' | 'limit' | 'filtered out' | null;
  /** The command that ends its pause. */
  resumedBy: string | null;
}

export interface TickPlan {
  /** Running tasks whose worker is gone. */
  wouldReap: { id: number; kind: string; owner: string }[];
  /** Due tasks in claim order, those that would not run included. */
  due: PlannedTask[];
}

/** What a tick would do now. Reads only: nothing is claimed, and the host is not recorded as ticking. */
export async function planTick(options: {
  db: Kysely<Database>;
  worker: WorkerIdentity;
  kinds: readonly string[];
  onlyKinds?: readonly string[] | undefined;
  onlyQueues?: readonly string[] | undefined;
  hostLimit?: number | undefined;
  limit: number;
}): Promise<TickPlan> {
  const { db, worker } = options;
  await requireSchema(db);
  await requireOwnDatabase(db);
  const running = await sql<{ id: number; kind: string; owner: string; is_expired: boolean }>`
    select id, kind, lease_owner as owner, lease_until < now() as is_expired
      from tend.tasks where state = 'running' order by id`.execute(db);
  const due = await sql<Omit<PlannedTask, 'resumedBy'> & { pause: Paused | null }>`
    select t.id, t.kind, t.queue, t.run_at as "runAt",
           case when t.kind <> all (${options.kinds}::text[]) then 'unknown kind'
                when t.host <> ${worker.host} then 'other host'
                when t.kind <> all (coalesce(${options.onlyKinds ?? null}::text[], array[t.kind]))
                  or t.queue <> all (coalesce(${options.onlyQueues ?? null}::text[], array[t.queue]))
                then 'filtered out'
                when p.pause is not null then 'paused'
                when exists (select from tend.tasks r where r.state = 'running' and r.mutex = t.mutex) then 'mutex'
                when (select count(*) from tend.tasks r where r.state = 'running' and r.kind = t.kind)
                       >= (select k.max_running from tend.kinds k where k.kind = t.kind) then 'limit'
                when (select count(*) from tend.tasks r
                       where r.state = 'running' and split_part(r.lease_owner, ':', 1) = ${worker.host})
                       >= ${options.hostLimit ?? null}::integer then 'limit'
           end as "blockedBy", p.pause
      from tend.tasks t
           left join lateral (
             select jsonb_build_object('scope', p.scope, 'name', p.name) as pause from tend.pauses p
              where p.name = case p.scope when 'kind' then t.kind else t.queue end order by p.scope limit 1) p on true
     where t.state = 'waiting' and t.run_at <= now()
     order by t.priority, t.run_at, t.id limit ${Math.min(options.limit, 1000)}`.execute(db);
  const lost = running.rows.filter((task) => task.is_expired || isDeadHere(task.owner, worker));
  return {
    wouldReap: lost.map(({ id, kind, owner }) => ({ id, kind, owner })),
    due: due.rows.map(({ pause, ...task }) => ({
      ...task,
      resumedBy: task.blockedBy === 'paused' && pause !== null ? resumeCommand(pause) : null,
    })),
  };
}
