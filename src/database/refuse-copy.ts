import { TendError } from '../errors.ts';

/**
 * @param copiedFrom what `tend.copied_from()` says: null where the database is its own.
 * @throws TendError DATABASE_IS_A_COPY.
 */
export function refuseCopy(copiedFrom: string | null, database: string): void {
  if (copiedFrom === null) return;
  throw new TendError(
    'DATABASE_IS_A_COPY',
    `Database "${database}" is a copy: its queue is that of ${copiedFrom}.`,
    { hint: 'To give it a queue of its own, and decide about the unfinished tasks: tend doctor --adopt' },
  );
}
