import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { taskNotFound } from './show-task.ts';
import type { TaskState } from './states.ts';

/** All that decides whether a task runs, as one statement saw it; ages by the database's clock. */
export interface ExplainRow {
  id: number;
  kind: string;
  state: TaskState;
  reason: string | null;
  host: string | null;
  mutex: string | null;
  attempt: number;
  max_attempts: number;
  lease_owner: string | null;
  last_error: string | null;
  is_cancel_requested: boolean;
  due_in_ms: number;
  lease_left_ms: number | null;
  started_ms_ago: number | null;
  ended_ms_ago: number | null;
  ahead: number;
  kind_is_registered: boolean;
  last_tick_ms_ago: number | null;
  holder: { id: number; kind: string; owner: string; for_ms: number } | null;
  schedule: string | null;
  slot_at: Date | null;
  copied_from: string | null;
  pauses: {
    scope: 'kind' | 'queue';
    name: string;
    reason: string | null;
    paused_by: string;
    for_ms: number;
  }[];
  max_running: number | null;
  running_of_kind: number;
  running_here: number;
}

/** @throws TendError TASK_NOT_FOUND. */
export async function readExplainRow(options: {
  db: Kysely<Database>;
  id: number;
  host: string;
}): Promise<ExplainRow> {
  const { db, id, host } = options;
  const { rows } = await sql<ExplainRow>`
    select t.id, t.kind, t.state, t.reason, t.host, t.mutex, t.attempt, t.max_attempts, t.lease_owner, t.last_error,
           t.schedule, t.slot_at, tend.copied_from() as copied_from,
           coalesce((select jsonb_agg(jsonb_build_object('scope', p.scope, 'name', p.name, 'reason', p.reason,
                              'paused_by', p.paused_by,
                              'for_ms', round(extract(epoch from now() - p.paused_at) * 1000)::float8) order by p.scope)
                       from tend.pauses p
                      where p.name = case p.scope when 'kind' then t.kind else t.queue end), '[]') as pauses,
           (select k.max_running from tend.kinds k where k.kind = t.kind) as max_running,
           (select count(*) from tend.tasks r where r.state = 'running' and r.kind = t.kind) as running_of_kind,
           (select count(*) from tend.tasks r
             where r.state = 'running' and split_part(r.lease_owner, ':', 1) = ${host}) as running_here,
           t.cancel_requested_at is not null as is_cancel_requested,
           round(extract(epoch from t.run_at - now()) * 1000)::float8 as due_in_ms,
           round(extract(epoch from t.lease_until - now()) * 1000)::float8 as lease_left_ms,
           round(extract(epoch from now() - t.started_at) * 1000)::float8 as started_ms_ago,
           round(extract(epoch from now() - t.finished_at) * 1000)::float8 as ended_ms_ago,
           (select count(*) from tend.tasks o
             where o.state = 'waiting' and o.run_at <= now()
               and (o.priority, o.run_at, o.id) < (t.priority, t.run_at, t.id)) as ahead,
           exists (select from tend.kinds k where k.kind = t.kind) as kind_is_registered,
           (select round(extract(epoch from now() - max(last_tick_at)) * 1000)::float8 from tend.hosts
             where t.host is null or host = t.host) as last_tick_ms_ago,
           (select jsonb_build_object('id', h.id, 'kind', h.kind, 'owner', h.lease_owner,
                     'for_ms', round(extract(epoch from now() - h.started_at) * 1000)::float8)
              from tend.tasks h where h.state = 'running' and h.mutex = t.mutex and h.id <> t.id) as holder
      from tend.tasks t where t.id = ${id}`.execute(db);
  const row = rows[0];
  if (row === undefined) throw taskNotFound(id);
  return row;
}
