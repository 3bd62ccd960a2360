import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { type AlertNews, alertMail, isOver } from './alert-mail.ts';
import { type DueAlert, findDueAlerts } from './find-due-alerts.ts';

const batch = 50;
/** Before a newsletter that is being sent. */
const priority = -1000;
const dayMs = 86_400_000;

export interface TellAlertsOptions {
  db: Kysely<Database>;
  /** Whom to tell. */
  to: readonly string[];
  /** What the unique keys of the messages begin with. */
  keyPrefix: string;
}

/**
 * Enqueues a message for every alert that is due, in the statement that moves the alert on: a message is enqueued once,
 * however many ticks look at once, none is lost to a crash, and no lock outlasts a statement. Whether it can be sent is
 * then a matter of the queue: it waits for its server as any message does, and a newer one about the same replaces it.
 *
 * @returns how many messages were enqueued.
 */
export async function tellAlerts(options: TellAlertsOptions): Promise<number> {
  let enqueued = 0;
  for (;;) {
    const alerts = await findDueAlerts(options.db, batch);
    let moved = 0;
    for (const alert of alerts) {
      const news = newsOf(alert);
      const isMoved = news === undefined ? await forget(options, alert) : await tell(options, alert, news);
      moved += isMoved ? 1 : 0;
      enqueued += isMoved && news !== undefined ? 1 : 0;
    }
    if (alerts.length < batch || moved === 0) return enqueued;
  }
}

/** Undefined where there is nothing to say any more. */
function newsOf(alert: DueAlert): AlertNews | undefined {
  const { phase, lastMailedAt, recoveredMs, state, isAnyHeld } = alert;
  if (phase === 'over') return undefined;
  if (phase === 'recovered') {
    if (lastMailedAt !== null) return 'recovered';
    return (recoveredMs ?? 0) < dayMs ? 'broke-and-recovered' : undefined;
  }
  // A person may have decided about it, which is no success of a task; or it was pruned since.
  const isSettled = !isAnyHeld && (state === null || state === 'succeeded' || state === 'cancelled');
  if (isSettled) return lastMailedAt === null ? undefined : 'settled';
  return lastMailedAt === null ? 'broke' : 'still-broken';
}

/**
 * False where another tick was first. The row is locked before the message is enqueued, by who finds it as it was seen;
 * where another column changes in that moment the server computes the new row twice, which the unique key makes one.
 */
async function tell(
  { db, to, keyPrefix }: TellAlertsOptions,
  alert: DueAlert,
  news: AlertNews,
): Promise<boolean> {
  const payload = JSON.stringify(alertMail({ to, alert, news }));
  const key = keyPrefix + [alert.kind, alert.schedule, alert.host].join(':');
  const phase = isOver(news) ? 'over' : 'broken';
  const { numAffectedRows } = await sql`
    with mine as materialized (
      select a.kind, a.schedule, a.host from tend.alerts a where ${isAsSeen(alert)} for update
    )
    update tend.alerts a
       set mail_task_id = tend.enqueue('send-mail', ${payload}::jsonb, priority => ${priority}, unique_key => ${key}),
           last_mailed_at = now(), due_at = now() + interval '1 day', phase = ${phase},
           recovered_at = case when ${phase}::text = 'over' then coalesce(a.recovered_at, now()) end
      from mine m where a.kind = m.kind and a.schedule = m.schedule and a.host = m.host`.execute(db);
  return (numAffectedRows ?? 0n) > 0n;
}

async function forget({ db }: TellAlertsOptions, alert: DueAlert): Promise<boolean> {
  const { numAffectedRows } = await sql`delete from tend.alerts a where ${isAsSeen(alert)}`.execute(db);
  return (numAffectedRows ?? 0n) > 0n;
}

function isAsSeen({ kind, schedule, host, phase, dueAt }: DueAlert): RawBuilder<unknown> {
  return sql`a.kind = ${kind} and a.schedule = ${schedule} and a.host = ${host} and a.phase = ${phase}
    and extract(epoch from a.due_at)::text = ${dueAt}`;
}
