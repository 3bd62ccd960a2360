import { TendError } from '../../errors.ts';
import type { UnfinishedRestore } from './find-unfinished-restores.ts';
import type { SettlementFacts } from './settlement.ts';

/**
 * The restore that `--resume` goes on with.
 *
 * @throws TendError RESTORE_REFUSED where none is unfinished.
 */
export function chooseResume({
  unfinished,
  connection,
  journalDirectory,
}: Omit<SettlementFacts, 'maintenance'>): UnfinishedRestore {
  const [first] = unfinished;
  if (first !== undefined) return first;
  throw new TendError(
    'RESTORE_REFUSED',
    `There is no restore of database "${connection.database}" to resume: none is unfinished.`,
    { isPermanent: true, hint: `Journals are looked for in "${journalDirectory}"; see also: tend doctor` },
  );
}
