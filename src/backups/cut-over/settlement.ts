import type { Kysely } from 'kysely';
import type { Database } from '../../database/tables.ts';
import type { RestoreBackupOptions } from '../restore/restore-options.ts';
import { hasEnded, type UnfinishedRestore } from './find-unfinished-restores.ts';
import { RestoreJournal } from './restore-journal.ts';
import type { SwapWork } from './swap-work.ts';
import { sweepRestores } from './sweep-restores.ts';

export interface SettleRestoreOptions
  extends Omit<RestoreBackupOptions, 'set' | 'identity' | 'into' | 'source' | 'jobs' | 'files'> {
  /** Go on where it was killed, or go back. */
  way: 'resume' | 'undo';
  /** The restore that is to be undone; the newest unless told. */
  restoreId: string | undefined;
}

/** What tells which restore it is about, and whether its way is open. */
export type SettlementFacts = Pick<
  Settlement,
  'restoreId' | 'maintenance' | 'unfinished' | 'connection' | 'journalDirectory'
>;

/** How a restore that somebody came back to has ended. */
export interface SettledRestore {
  /** `swept`: it had replaced nothing, and what it left is gone. */
  action: 'finished' | 'undone' | 'swept';
  restoreId: string;
  backupId: string | null;
  /** What the set was asked for by. */
  source: string | null;
  database: string;
  /** Whether it was one within the live database. */
  inPlace: boolean;
  /** The new database that it was restoring into; null where it was about the live one. */
  into: string | null;
  /** The name under which the database from before is kept. */
  keptAs: string | null;
  /** The name under which the restored one is kept after a way back. */
  restoredAs: string | null;
  outageMs: number | null;
  /** Every task that worked on it before. */
  taskIds: number[];
}

/** What both ways share. */
export interface Settlement extends SettleRestoreOptions {
  maintenance: Kysely<Database>;
  unfinished: UnfinishedRestore[];
  serverOptions: string;
  serverMajor: number;
}

/** The work on one restore; a journal that is not on this host is begun anew. */
export function swapWorkOf(
  settlement: Settlement,
  { record, facts }: Pick<UnfinishedRestore, 'record' | 'facts'>,
): SwapWork {
  const { journalDirectory: directory, log } = settlement;
  if (record === undefined)
    log.warn(
      `The journal of restore ${facts.id} is not in "${directory}": files that it may have replaced stay.`,
    );
  const journal =
    record === undefined
      ? RestoreJournal.of({ ...settlement, directory, facts })
      : RestoreJournal.continue(record, settlement);
  // A restore that was to leave the application alone does so to its end.
  const leavesApp = record !== undefined && !hasEnded(record) && !facts.touchesApp;
  return { ...settlement, journal, app: leavesApp ? {} : settlement.app };
}

/** Nothing had been replaced: what it left is removed. */
export async function sweepUnfinished(
  settlement: Settlement,
  first: UnfinishedRestore,
): Promise<SettledRestore> {
  await sweepRestores(settlement);
  const taskIds = first.record?.taskIds ?? [];
  return { ...settledAs('swept', first.facts), keptAs: null, taskIds };
}

export function settledAs(
  action: SettledRestore['action'],
  facts: UnfinishedRestore['facts'],
): Omit<SettledRestore, 'taskIds'> {
  const { id: restoreId, backupId, source, database, keptAs } = facts;
  const beside = { inPlace: facts.within !== undefined, into: facts.into ?? null };
  return {
    action,
    restoreId,
    backupId,
    source,
    database,
    ...beside,
    keptAs,
    restoredAs: null,
    outageMs: null,
  };
}
