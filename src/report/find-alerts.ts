import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import type { TaskState } from '../tasks/states.ts';

/** The tasks of one kind, schedule and host that are broken: the last one failed, or is held. */
export interface AlertState {
  kind: string;
  schedule: string | null;
  /** The host its tasks are pinned to. */
  host: string | null;
  brokenSince: Date;
  brokenMs: number;
  failures: number;
  lastFailedAt: Date;
  /** The last that failed. */
  lastTask: number;
  /** When one succeeded after it had broken again and again: it is over once that has held for a day. */
  recoveredAt: Date | null;
  lastMailedAt: Date | null;
  /** When the next message says that it is still broken; null where none was sent, or it works again. */
  remindsAt: Date | null;
  /** The message about it and its state; null where there was none, or it was deleted. */
  mailTask: number | null;
  mailState: TaskState | null;
  /** Why that message was not sent, or not yet. */
  mailProblem: string | null;
  /** Whether somebody should have got it by now and has not. */
  isUntold: boolean;
}

/** What is broken, the oldest first. */
export async function findAlerts(db: Kysely<Database>): Promise<AlertState[]> {
  const { rows } = await sql<AlertState>`
    select a.kind, nullif(a.schedule, '') as schedule, nullif(a.host, '') as host, a.broken_since as "brokenSince",
           round(extract(epoch from now() - a.broken_since) * 1000)::float8 as "brokenMs", a.failures,
           a.last_failed_at as "lastFailedAt", a.last_task_id as "lastTask", a.recovered_at as "recoveredAt",
           a.last_mailed_at as "lastMailedAt",
           case when a.phase = 'broken' and a.last_mailed_at is not null then a.due_at end as "remindsAt", m.id as "mailTask", m.state as "mailState",
           case when m.state <> 'succeeded' then coalesce(m.last_error, m.reason) end as "mailProblem",
           coalesce(m.state in ('failed', 'held', 'cancelled')
                      or m.state in ('waiting', 'running') and a.last_mailed_at < now() - interval '15 minutes', false)
             as "isUntold"
      from tend.alerts a left join tend.tasks m on m.id = a.mail_task_id
     where a.phase = 'broken' or a.phase = 'recovered' and a.due_at > now()
     order by a.broken_since, a.kind, a.schedule, a.host`.execute(db);
  return rows;
}

/** `backup (nightly) on web1`: of which tasks it is. */
export function nameAlert({ kind, schedule, host }: Pick<AlertState, 'kind' | 'schedule' | 'host'>): string {
  return `${kind}${schedule === null ? '' : ` (${schedule})`}${host === null ? '' : ` on ${host}`}`;
}

/** One sentence for each that nobody could be told of. */
export function findUntoldAlerts(alerts: readonly AlertState[]): string[] {
  return alerts
    .filter(({ isUntold }) => isUntold)
    .map(({ kind, schedule, mailTask, mailState, mailProblem }) => {
      const name = schedule === null ? kind : `${kind} (${schedule})`;
      const why = mailProblem === null ? '' : `: ${mailProblem}`;
      return `nobody could be told that ${name} is broken (message: task ${mailTask}, ${mailState}${why})`;
    });
}
