import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';
import { TendError } from '../errors.ts';
import type { MailMessage } from './mail-message.ts';

/** Leaves a message to the next tick, through the same function any application uses; returns the task's id. */
export async function queueMessage(db: Kysely<Database>, message: MailMessage): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    select tend.enqueue('send-mail', ${JSON.stringify(message)}::jsonb) as id
  `.execute(db);
  const id = rows[0]?.id;
  if (id === undefined) throw new TendError('BUG', 'tend.enqueue returned no task.');
  return id;
}
