import { type Kysely, sql } from 'kysely';
import { openDatabase } from '../../database/open-database.ts';
import type { Database } from '../../database/tables.ts';
import { adoptQueue, holdRestoredTasks, queueVersion } from '../cut-over/queue-schema.ts';
import type { Manifest } from '../sets/manifest.ts';
import type { RestoreWork } from './restore-backup.ts';
import type { RestoreEnding } from './restore-options.ts';
import { restoreProperties } from './restore-properties.ts';
import { unmarkDatabase } from './scratch-database.ts';

const nothingReplaced = { keptAs: null, outageMs: null, cutOverAt: null, laterTransactions: null };

/**
 * Gives the restored database a name of its own. It is a copy: its unfinished tasks are held, and its queue still says
 * that it belongs to the original, so that no tick runs there until somebody says it may.
 */
export async function finishInto(work: RestoreWork): Promise<RestoreEnding> {
  const heldTasks = await holdTasks(work, { adoptAs: undefined });
  await nameScratch(work);
  return { ...nothingReplaced, heldTasks };
}

/**
 * Gives the restored database the name of the one that was lost. Its queue is used on, with its unfinished tasks
 * held: nobody knows which of them were done after the backup.
 */
export async function finishLost(work: RestoreWork): Promise<RestoreEnding> {
  const heldTasks = await holdTasks(work, { adoptAs: work.plan.target });
  await nameScratch(work);
  return { ...nothingReplaced, heldTasks };
}

async function holdTasks(work: RestoreWork, options: { adoptAs: string | undefined }): Promise<number> {
  const { plan, set, connection, applicationName } = work;
  await using db = openDatabase({
    connection: { ...connection, database: plan.scratch },
    applicationName,
    statementTimeoutMs: 0,
  });
  return await holdIn(db, { manifest: set.manifest, ...options });
}

/** Holds and, where a name is given, adopts the queue of the connected database, if it has one. */
export async function holdIn(
  db: Kysely<Database>,
  options: { manifest: Manifest; adoptAs: string | undefined },
): Promise<number> {
  if ((await queueVersion(db)) === undefined) return 0;
  const held = await holdRestoredTasks(db, options.manifest);
  if (options.adoptAs !== undefined) await adoptQueue(db, options.adoptAs);
  return held;
}

/** The mark goes last: a killed restore leaves a database that the next one drops, or a finished one. */
async function nameScratch({ maintenance, plan, toc, log }: RestoreWork): Promise<void> {
  await maintenance.transaction().execute(async (transaction) => {
    await sql`alter database ${sql.id(plan.scratch)} rename to ${sql.id(plan.target)}`.execute(transaction);
    await unmarkDatabase(transaction, plan.target);
    if (toc !== undefined) await restoreProperties({ transaction, toc, name: plan.target, log });
  });
}
