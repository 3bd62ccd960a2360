import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { type AlertState, findAlerts, findUntoldAlerts } from './find-alerts.ts';
import { type BackupStatus, findBackupStatus } from './find-backup-status.ts';
import { type CatalogStatus, findCatalogStatus } from './find-catalog-status.ts';
import { findHealth, type Health } from './find-health.ts';
import { findHosts, type HostState } from './find-hosts.ts';
import { findMailStatus, type MailStatus } from './find-mail-status.ts';
import { findPauses, type PauseState } from './find-pauses.ts';
import { findScheduleStates, type ScheduleState } from './find-schedule-states.ts';
import { findSessionStatus, type SessionStatus } from './find-session-status.ts';

/** What `tend status` shows; keys of its JSON contract. */
export interface Status {
  checkedAt: Date;
  database: string;
  /** The database it is a copy of; null where it is its own. */
  copiedFrom: string | null;
  isOk: boolean;
  problems: string[];
  hosts: HostState[];
  tasks: Omit<Health, 'checkedAt' | 'isOk' | 'problems'>;
  schedules: ScheduleState[];
  pauses: PauseState[];
  /** What is broken, and who was told. */
  alerts: AlertState[];
  backups: BackupStatus;
  mail: MailStatus;
  translations: CatalogStatus;
  sessions: SessionStatus;
}

/** One look at everything; reads only. In a copy, that it is one is the first problem: nothing runs there. */
export async function findStatus(db: Kysely<Database>): Promise<Status> {
  const { rows } = await sql<Pick<Status, 'database' | 'copiedFrom'>>`
    select current_database() as database, tend.copied_from() as "copiedFrom"`.execute(db);
  const [{ database, copiedFrom } = { database: '', copiedFrom: null }] = rows;
  const { checkedAt, isOk, problems, ...tasks } = await findHealth(db);
  const alerts = await findAlerts(db);
  const untold = copiedFrom === null ? findUntoldAlerts(alerts) : [];
  const copy =
    copiedFrom === null
      ? []
      : [`the database is a copy: its queue is that of ${copiedFrom} (tend doctor --adopt)`];
  return {
    checkedAt,
    database,
    copiedFrom,
    isOk: isOk && copiedFrom === null && untold.length === 0,
    problems: [...copy, ...problems, ...untold],
    hosts: await findHosts(db),
    tasks,
    schedules: await findScheduleStates(db),
    pauses: await findPauses(db),
    alerts,
    backups: await findBackupStatus(db),
    mail: await findMailStatus(db),
    translations: await findCatalogStatus(db),
    sessions: await findSessionStatus(db),
  };
}
