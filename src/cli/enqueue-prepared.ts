import type { Kysely } from 'kysely';
import type { Database } from '../database/tables.ts';
import type { ComposedMessage } from '../mail/compose/compose-message.ts';
import { keepPrepared, payloadOf } from '../mail/sendmail/keep-prepared.ts';
import { enqueueTask } from '../tasks/enqueue-task.ts';

/**
 * Enqueues a message that another program has written: a task, and in the same transaction its delivery with the
 * bytes, which every attempt sends as they are. Returns the task's id.
 */
export async function enqueuePrepared({
  db,
  composed,
}: {
  db: Kysely<Database>;
  composed: ComposedMessage;
}): Promise<number> {
  return await db.transaction().execute(async (trx) => {
    const taskId = await enqueueTask({ db: trx, kind: 'send-mail', payload: payloadOf(composed) });
    await keepPrepared({ db: trx, composed, taskId });
    return taskId;
  });
}
