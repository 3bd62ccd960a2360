import { type Kysely, sql } from 'kysely';
import { repeatOnConflict } from '../database/repeat-on-conflict.ts';
import type { Database } from '../database/tables.ts';
import { type CopiedQueue, findCopiedQueue } from './find-copied-queue.ts';

/** What can become of the unfinished tasks of a copy; the first is the default. */
export const unfinishedChoices = ['hold', 'cancel', 'run'] as const;
export type UnfinishedChoice = (typeof unfinishedChoices)[number];

export interface AdoptedCopy {
  /** What was there before. */
  found: CopiedQueue;
  /** False where the database was its own already, and nothing was changed. */
  isAdopted: boolean;
  /** How many tasks were held, cancelled, or wait now to be run. */
  changed: number;
  /** Mails that a person may release, each by its own. */
  heldMails: number;
}

/**
 * Gives a clone or a restored database a queue of its own. Two at once: one waits for the other, and then finds that the
 * database is its own. `run` never runs mail.
 *
 * Changes every unfinished task in one statement: `db` should know no short limit of time for it.
 */
export async function adoptCopy(options: {
  db: Kysely<Database>;
  unfinished: UnfinishedChoice;
}): Promise<AdoptedCopy> {
  const { db, unfinished } = options;
  return await repeatOnConflict(
    async () =>
      await db.transaction().execute(async (transaction) => {
        await sql`select from tend.meta for update`.execute(transaction);
        const found = await findCopiedQueue(transaction);
        if (found.copiedFrom === null) return { found, isAdopted: false, changed: 0, heldMails: 0 };
        const { rows } = await sql<{ changed: number }>`select tend.adopt(${unfinished}) as changed`.execute(
          transaction,
        );
        const { rows: mails } = await sql<{ held: number }>`
          select count(*) as held from tend.tasks where state = 'held' and kind = 'send-mail'`.execute(
          transaction,
        );
        return {
          found,
          isAdopted: true,
          changed: rows[0]?.changed ?? 0,
          heldMails: mails[0]?.held ?? 0,
        };
      }),
  );
}
