import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/** What `tend status` shows of the mail; keys of its JSON contract. */
export interface MailStatus {
  /** Messages that wait for their first attempt, or for another one after the server deferred them. */
  waiting: number;
  deferred: number;
  /** Messages that need a person, and how many of them may or may not have been sent. */
  held: number;
  unknown: number;
  /** Servers that took nothing when they were tried last. */
  failingServers: FailingServer[];
}

export interface FailingServer {
  name: string;
  failingSince: Date;
  failingMs: number;
  /** In a row. */
  failures: number;
  failureClass: 'server' | 'configuration';
  reason: string | null;
  retryAt: Date | null;
}

/** The queue of messages, by the state of their tasks and deliveries, and the servers as the ticks found them last. */
export async function findMailStatus(db: Kysely<Database>): Promise<MailStatus> {
  const { rows } = await sql<Omit<MailStatus, 'failingServers'>>`
    select count(*) filter (where t.state = 'waiting' and t.attempt = 0) as waiting,
           count(*) filter (where t.state = 'waiting' and t.attempt > 0) as deferred,
           count(*) filter (where t.state = 'held') as held,
           count(*) filter (where t.state = 'held' and exists (
             select from tend.deliveries d where d.task_id = t.id and d.state in ('committing', 'unknown'))) as unknown
      from tend.tasks t where t.kind = 'send-mail' and t.state in ('waiting', 'held')`.execute(db);
  const { rows: failingServers } = await sql<FailingServer>`
    select name, failing_since as "failingSince", round(extract(epoch from now() - failing_since) * 1000)::float8 as "failingMs",
           failures, failure_class as "failureClass", reason, retry_at as "retryAt"
      from tend.mail_servers where failing_since is not null order by failing_since, name`.execute(db);
  const [counts = { waiting: 0, deferred: 0, held: 0, unknown: 0 }] = rows;
  return { ...counts, failingServers };
}
