import { TendError } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';
import { describeWayBack } from '../within/describe-way-back.ts';
import type { RestoreFacts } from './find-restores.ts';
import type { SettlementFacts } from './settlement.ts';

/** Why nothing is undone; with the other way, where that is open. */
export function refuseUndo({ connection }: SettlementFacts, why: string, otherWay?: 'resume'): TendError {
  const { database } = connection;
  const hint =
    otherWay === 'resume'
      ? `Finish it: tend restore --resume --confirm ${shellWord(database)}`
      : 'Nothing was changed. See what restores have kept: tend doctor';
  return new TendError('RESTORE_REFUSED', `There is nothing to undo for database "${database}": ${why}.`, {
    isPermanent: true,
    hint,
  });
}

/** A restore in place has kept no database: the way back is the set that was taken before it, where one was. */
export function refuseUndoWithin(
  { connection }: SettlementFacts,
  facts: RestoreFacts,
  state: 'unfinished' | 'ended',
): TendError {
  const { database } = connection;
  const first =
    state === 'ended' ? '' : `First finish it: tend restore --resume --confirm ${shellWord(database)}. `;
  return new TendError(
    'RESTORE_REFUSED',
    `There is nothing to undo for database "${database}": restore ${facts.id} was made in place, and kept no database.`,
    { isPermanent: true, hint: `${first}${describeWayBack(facts)}` },
  );
}
