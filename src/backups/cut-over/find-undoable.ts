import { shellWord } from '../../shell-word.ts';
import { stateOfCutOver } from './cut-over.ts';
import { findMarkedDatabases } from './find-marked-databases.ts';
import { findRestores, type RestoreFacts, type RestoreRecord } from './find-restores.ts';
import { factsOfMarked } from './find-unfinished-restores.ts';
import { refuseUndo, refuseUndoWithin } from './refuse-undo.ts';
import type { SettlementFacts } from './settlement.ts';

export interface Undoable {
  facts: RestoreFacts;
  record: RestoreRecord | undefined;
}

/**
 * The newest restore that has come to its end, if its way back is open. One that was undone already is no reason to
 * go further back: the same command, typed twice, would lead weeks back. An older one must be named.
 *
 * @throws TendError RESTORE_REFUSED.
 */
export async function findUndoable(settlement: SettlementFacts): Promise<Undoable> {
  const { restoreId: wanted, maintenance } = settlement;
  const all = await findEnded(settlement);
  const open = all.filter(({ record }) => record?.phase !== 'undone');
  const [newest] = wanted === undefined ? all : open;
  if (newest === undefined) throw refuseUndo(settlement, 'no restore has replaced it');
  const { facts, record } = newest;
  if (wanted !== undefined && wanted !== facts.id)
    throw refuseUndo(settlement, `of those not undone, ${facts.id} is the newest restore, and comes first`);
  if (record?.phase === 'undone') throw refuseUndo(settlement, alreadyUndone(settlement, facts, open));
  if (facts.within !== undefined) throw refuseUndoWithin(settlement, facts, 'ended');
  const { database: name, keptAs } = facts;
  if (keptAs === null)
    throw refuseUndo(settlement, `it had been lost when restore ${facts.id} brought it back`);
  if ((await stateOfCutOver(maintenance, { name, keepAs: keptAs })) === 'before')
    throw refuseUndo(settlement, `"${keptAs}", from before restore ${facts.id}, is not kept any more`);
  return newest;
}

function alreadyUndone(
  { connection }: SettlementFacts,
  { id }: RestoreFacts,
  open: readonly Undoable[],
): string {
  const [next] = open;
  const said = `restore ${id}, the newest, was undone already`;
  if (next === undefined) return said;
  const command = `tend restore ${next.facts.id} --undo --confirm ${shellWord(connection.database)}`;
  return `${said} (to undo the one before as well: ${command})`;
}

/** Newest first: those with a journal here, and those that only a kept database tells of. */
async function findEnded({
  connection,
  journalDirectory,
  maintenance,
}: SettlementFacts): Promise<Undoable[]> {
  const { database } = connection;
  const records = await findRestores({ directory: journalDirectory, database });
  const known = new Set(records.map(({ facts }) => facts.id));
  const marked = await findMarkedDatabases(maintenance, database);
  const others = marked.filter(({ mark }) => mark.kind === 'kept' && !known.has(mark.id));
  return [
    ...records.map((record) => ({ facts: record.facts, record })),
    ...others.map((one) => ({ facts: factsOfMarked(one), record: undefined })),
  ].sort((left, right) => (left.facts.id < right.facts.id ? 1 : -1));
}
