import { TendError } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';
import type { Settlement } from './settlement.ts';

/** Why nothing is undone; with the other way, where that is open. */
export function refuseUndo({ connection }: Settlement, why: string, otherWay?: 'resume'): TendError {
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
