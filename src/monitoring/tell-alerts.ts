import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { type AlertNews, alertMail, isOver } from './alert-mail.ts';
import { type DueAlert, findDueAlerts } from './find-due-alerts.ts';

const batch = 50;
/** Before a newsletter that is being sent. */
const priority = -1000;

/**
 * Enqueues a message for every alert that is due and moves the alert on, both in one transaction: a message is enqueued
 * once, however many ticks look at once, and none is lost to a crash. Whether it can be sent is then a matter of the queue:
 * it waits for its server as any message does, and a newer one about the same alert replaces it.
 *
 * @returns how many messages were enqueued.
 */
export async function tellAlerts(options: {
  db: Kysely<Database>;
  /** Whom to tell. */
  to: readonly string[];
  /** What their unique keys begin with. */
  keyPrefix: string;
}): Promise<number> {
  let enqueued = 0;
  for (;;) {
    const alerts = await options.db.transaction().execute(async (db) => {
      const due = await findDueAlerts(db, batch);
      for (const alert of due) enqueued += await tell({ ...options, db, alert });
      return due;
    });
    if (alerts.length < batch) return enqueued;
  }
}

interface TellOptions {
  db: Kysely<Database>;
  to: readonly string[];
  keyPrefix: string;
  alert: DueAlert;
}

async function tell({ db, to, keyPrefix, alert }: TellOptions): Promise<0 | 1> {
  const news = await newsOf(db, alert);
  if (news === undefined) {
    await sql`delete from tend.alerts where ${isRowOf(alert)}`.execute(db);
    return 0;
  }
  const payload = JSON.stringify(alertMail({ to, alert, news }));
  const key = keyPrefix + [alert.kind, alert.schedule, alert.host].join(':');
  await sql`
    update tend.alerts
       set mail_task_id = tend.enqueue('send-mail', ${payload}::jsonb, priority => ${priority}, unique_key => ${key}), last_mailed_at = now(),
           due_at = now() + interval '1 day', phase = ${isOver(news) ? 'over' : 'broken'},
           recovered_at = ${isOver(news) ? sql`coalesce(recovered_at, now())` : sql`null`}
     where ${isRowOf(alert)}`.execute(db);
  return 1;
}

function isRowOf({ kind, schedule, host }: DueAlert) {
  return sql`kind = ${kind} and schedule = ${schedule} and host = ${host}`;
}

const dayMs = 86_400_000;

/** Undefined where there is nothing to say any more: the row can go. */
async function newsOf(db: Kysely<Database>, alert: DueAlert): Promise<AlertNews | undefined> {
  const { phase, lastMailedAt, recoveredMs, state } = alert;
  if (phase === 'over') return undefined;
  if (phase === 'recovered') {
    if (lastMailedAt !== null) return 'recovered';
    return (recoveredMs ?? 0) < dayMs ? 'broke-and-recovered' : undefined;
  }
  // A person may have decided about it, which is no success of a task; or it was pruned since.
  const isSettled = state === null || state === 'succeeded' || state === 'cancelled';
  if (isSettled && !(await isAnyHeld(db, alert))) return lastMailedAt === null ? undefined : 'settled';
  return lastMailedAt === null ? 'broke' : 'still-broken';
}

async function isAnyHeld(db: Kysely<Database>, { kind, schedule, host }: DueAlert): Promise<boolean> {
  const { rows } = await sql`
    select from tend.tasks
     where state = 'held' and kind = ${kind} and coalesce(schedule, '') = ${schedule} and coalesce(host, '') = ${host}
       and not starts_with(reason, 'restored')
     limit 1`.execute(db);
  return rows.length > 0;
}
