import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/** One row of `tend.alerts` that is due, with the task that failed last. */
export interface DueAlert {
  kind: string;
  /** Empty for tasks of none. */
  schedule: string;
  /** The host its tasks are pinned to; empty for none. */
  host: string;
  phase: 'broken' | 'recovered' | 'over';
  /** Seconds since 1970 to the last digit, as the server writes them: they tell whether another tick was here. */
  dueAt: string;
  brokenSince: Date;
  brokenMs: number;
  failures: number;
  isRelapse: boolean;
  recoveredAt: Date | null;
  /** Since it works again. */
  recoveredMs: number | null;
  lastMailedAt: Date | null;
  database: string;
  taskId: number;
  /** Of the task now; null where it was pruned. */
  state: string | null;
  reason: string | null;
  /** Whether one of its tasks waits for a person, that or another. */
  isAnyHeld: boolean;
  error: string | null;
  /** The newest ten, the newest first. */
  attempts: AlertAttempt[];
  /** What the last attempt said, redacted when it was written. */
  output: string | null;
}

export interface AlertAttempt {
  attempt: number;
  /** `host:pid` of the worker. */
  worker: string;
  /** ISO 8601, UTC, to the second. */
  startedAt: string;
  ms: number;
  outcome: string;
  exitCode: number | null;
  error: string | null;
}

/** The alerts that are due, the longest due first. */
export async function findDueAlerts(db: Kysely<Database>, limit: number): Promise<DueAlert[]> {
  const { rows } = await sql<DueAlert>`
    with due as materialized (
      select * from tend.alerts where due_at <= now() order by due_at, kind, schedule, host limit ${limit}
    )
    select a.kind, a.schedule, a.host, a.phase, extract(epoch from a.due_at)::text as "dueAt", a.broken_since as "brokenSince", a.failures, a.is_relapse as "isRelapse",
           round(extract(epoch from coalesce(a.recovered_at, now()) - a.broken_since) * 1000)::float8 as "brokenMs",
           a.recovered_at as "recoveredAt", round(extract(epoch from now() - a.recovered_at) * 1000)::float8 as "recoveredMs",
           a.last_mailed_at as "lastMailedAt", current_database() as database,
           exists (select from tend.tasks h
                    where h.state = 'held' and h.kind = a.kind and coalesce(h.schedule, '') = a.schedule
                      and coalesce(h.host, '') = a.host and not starts_with(h.reason, 'restored')) as "isAnyHeld",
           a.last_task_id as "taskId", t.state, t.reason, t.last_error as error, coalesce(tries.list, '[]') as attempts,
           tries.output
      from due a
      left join tend.tasks t on t.id = a.last_task_id
      left join lateral (
        select jsonb_agg(jsonb_build_object(
                 'attempt', n.attempt,
                 'worker', split_part(n.owner, ':', 1) || ':' || split_part(n.owner, ':', 2),
                 'startedAt', to_char(n.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                 'ms', extract(epoch from n.finished_at - n.started_at) * 1000,
                 'outcome', n.outcome, 'exitCode', n.exit_code, 'error', n.error) order by n.rank) as list,
               max(n.output_tail) filter (where n.rank = 1) as output
          from (select r.*, row_number() over (order by r.started_at desc, r.finished_at desc) as rank
                  from tend.attempts r where r.task_id = a.last_task_id) n
         where n.rank <= 10) tries on true`.execute(db);
  return rows;
}
