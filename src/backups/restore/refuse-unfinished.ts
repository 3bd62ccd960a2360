import { TendError } from '../../errors.ts';
import { shellWord } from '../../shell-word.ts';
import type { UnfinishedRestore } from '../cut-over/find-unfinished-restores.ts';
import { describeWayBack } from '../within/describe-way-back.ts';

/**
 * Refuses to begin where another restore has replaced the live database and nobody knows whether the application is
 * well with it: the database from before would be a second step away.
 *
 * @throws TendError RESTORE_UNFINISHED naming both ways out.
 */
export function refuseUnfinished(unfinished: readonly UnfinishedRestore[]): void {
  const open = unfinished.find(({ hasCutOver }) => hasCutOver);
  if (open === undefined) return;
  const { id, database, within } = open.facts;
  const confirm = `--confirm ${shellWord(database)}`;
  const leave = 'with --no-restart to leave the application alone';
  if (within !== undefined)
    throw new TendError(
      'RESTORE_UNFINISHED',
      `Restore ${id} has restored in place in database "${database}" and did not come to its end: the application was not looked at.`,
      {
        hint: `Finish it: tend restore --resume ${confirm} (${leave}). There is no undo; after it: ${describeWayBack(open.facts)}`,
      },
    );
  throw new TendError(
    'RESTORE_UNFINISHED',
    `Restore ${id} has replaced database "${database}" and did not come to its end.`,
    {
      hint: `Finish it: tend restore --resume ${confirm}; or go back to the database from before: tend restore --undo ${confirm} (either ${leave})`,
    },
  );
}
