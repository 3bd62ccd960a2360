import { type Kysely, sql } from 'kysely';
import type { Database, DeliveryRecipient } from '../database/tables.ts';
import { TendError } from '../errors.ts';
import type { ComposedMessage } from './compose-message.ts';

export type DeliveryState = 'composed' | 'committing' | 'sent' | 'partly-sent' | 'refused' | 'unknown';

/** One row of `tend.deliveries`. */
export interface Delivery {
  id: number;
  messageId: string;
  from: string;
  recipients: DeliveryRecipient[];
  raw: Buffer;
  state: DeliveryState;
  reply: string | null;
  committingAt: Date | null;
}

export async function findDelivery(db: Kysely<Database>, taskId: number): Promise<Delivery | undefined> {
  return await db
    .selectFrom('tend.deliveries')
    .select(['id', 'message_id as messageId', 'envelope_from as from', 'recipients', 'raw', 'state', 'reply'])
    .select('committing_at as committingAt')
    .where('task_id', '=', taskId)
    .executeTakeFirst();
}

/** Keeps a composed message for its task; where another worker was first, its message is the one. */
export async function keepComposed(
  db: Kysely<Database>,
  taskId: number,
  composed: ComposedMessage,
): Promise<Delivery> {
  const recipients = composed.envelope.to.map((address) => ({ address, status: 'waiting' }));
  await db
    .insertInto('tend.deliveries')
    .values({
      task_id: taskId,
      message_id: composed.messageId,
      envelope_from: composed.envelope.from,
      recipients: JSON.stringify(recipients),
      raw: composed.raw,
    })
    .onConflict((conflict) => conflict.column('task_id').doNothing())
    .execute();
  const kept = await findDelivery(db, taskId);
  if (kept === undefined)
    throw new TendError('BUG', `The message of task ${taskId} was kept and is not there.`);
  return kept;
}

/**
 * The step that makes a crash ambiguous from here on. Compare-and-set: of two workers that both believe they hold the
 * task, one sends.
 *
 * @throws TendError LEASE_LOST where somebody else has moved the delivery.
 */
export async function markCommitting(db: Kysely<Database>, id: number): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('tend.deliveries')
    .set({ state: 'committing', committing_at: sql`clock_timestamp()` })
    .where('id', '=', id)
    .where('state', '=', 'composed')
    .executeTakeFirst();
  if (numUpdatedRows === 1n) return;
  throw new TendError('LEASE_LOST', `Delivery ${id} was not sent: another worker is at it.`);
}

export interface SettleDeliveryOptions {
  id: number;
  /** The states it may be in now; anything else means that somebody else knows better. */
  from: readonly DeliveryState[];
  to: DeliveryState;
  recipients: readonly DeliveryRecipient[];
  reply: string | null;
}

/** Records what became of an attempt. */
export async function settleDelivery(db: Kysely<Database>, options: SettleDeliveryOptions): Promise<void> {
  const { id, from, to, recipients, reply } = options;
  await db
    .updateTable('tend.deliveries')
    .set({
      state: to,
      recipients: JSON.stringify(recipients),
      reply,
      finished_at: to === 'composed' ? null : sql`clock_timestamp()`,
      ...(to === 'composed' ? { committing_at: null } : {}),
    })
    .where('id', '=', id)
    .where('state', 'in', from)
    .execute();
}
