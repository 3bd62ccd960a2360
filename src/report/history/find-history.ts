import type { Kysely } from 'kysely';
import type { Database } from '../../database/tables.ts';
import { findBackupHistory, type TakenBackup } from './find-backup-history.ts';
import { type ConnectionPeak, findConnectionHistory } from './find-connection-history.ts';
import { findDurationsByDay, type KindDurations } from './find-durations-by-day.ts';
import { type DayMail, findMailByDay } from './find-mail-by-day.ts';
import { type DayOutcomes, findOutcomesByDay } from './find-outcomes-by-day.ts';
import { findPastOccurrences, type PastHour } from './find-past-occurrences.ts';

/** What the charts of the HTML report show, beside the status of now. */
export interface History {
  outcomes: DayOutcomes[];
  durations: KindDurations[];
  backups: TakenBackup[];
  /** Undefined where this database keeps no samples. */
  connections: ConnectionPeak[] | undefined;
  mail: DayMail[];
  occurrences: PastHour[];
}

/** Reads only, one query after the other over the one session. */
export async function findHistory(db: Kysely<Database>): Promise<History> {
  return {
    outcomes: await findOutcomesByDay(db),
    durations: await findDurationsByDay(db),
    backups: await findBackupHistory(db),
    connections: await findConnectionHistory(db),
    mail: await findMailByDay(db),
    occurrences: await findPastOccurrences(db),
  };
}
