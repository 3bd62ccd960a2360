import { type Kysely, sql } from 'kysely';
import { StatementBatcher } from '../database/statement-batcher.ts';
import type { Database, DeliveryRecipient } from '../database/tables.ts';
import { TendError } from '../errors.ts';
import type { ComposedMessage } from './compose-message.ts';

export type DeliveryState = 'composed' | 'committing' | 'sent' | 'partly-sent' | 'refused' | 'unknown';

/** One row of `tend.deliveries`. */
export interface Delivery {
  id: number;
  taskId: number;
  messageId: string;
  from: string;
  recipients: DeliveryRecipient[];
  raw: Buffer;
  state: DeliveryState;
  reply: string | null;
}

export interface SettleDelivery {
  id: number;
  /** The states it may be in now; anything else means that somebody else knows better. */
  from: readonly DeliveryState[];
  to: DeliveryState;
  recipients: readonly DeliveryRecipient[];
  reply: string | null;
  /** Name of the server that took it; null keeps what is there. */
  server?: string | null;
}

interface KeepComposed {
  taskId: number;
  composed: ComposedMessage;
}

/**
 * The durable steps of deliveries. Those of messages that are under way together share statements, and with them the
 * flush of the server's log.
 */
export class DeliveryStore {
  readonly #find: StatementBatcher<number, Delivery | undefined>;
  readonly #keep: StatementBatcher<KeepComposed, number | undefined>;
  readonly #commit: StatementBatcher<number, boolean>;
  readonly #settle: StatementBatcher<SettleDelivery, undefined>;

  constructor(db: Kysely<Database>) {
    // A message may have 70 MB: what is read or written in one statement has a bound.
    this.#find = new StatementBatcher({ maxBatch: 16, execute: (ids) => findAll(db, ids) });
    this.#keep = new StatementBatcher({ maxBatch: 16, execute: (items) => keepAll(db, items) });
    this.#commit = new StatementBatcher({ maxBatch: 200, execute: (ids) => commitAll(db, ids) });
    this.#settle = new StatementBatcher({ maxBatch: 200, execute: (items) => settleAll(db, items) });
  }

  async find(taskId: number): Promise<Delivery | undefined> {
    return await this.#find.run(taskId);
  }

  /** Keeps a composed message for its task; where another worker was first, its message is the one. */
  async keep(taskId: number, composed: ComposedMessage): Promise<Delivery> {
    const id = await this.#keep.run({ taskId, composed });
    if (id !== undefined) return { id, taskId, ...freshDelivery(composed) };
    const kept = await this.find(taskId);
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
  async commit(id: number): Promise<void> {
    if (await this.#commit.run(id)) return;
    throw new TendError('LEASE_LOST', `Delivery ${id} was not sent: another worker is at it.`);
  }

  /** Records what became of an attempt. */
  async settle(settled: SettleDelivery): Promise<void> {
    await this.#settle.run(settled);
  }
}

function freshDelivery({ messageId, envelope, raw }: ComposedMessage): Omit<Delivery, 'id' | 'taskId'> {
  const recipients = envelope.to.map((address) => ({ address, status: 'waiting' as const }));
  return { messageId, from: envelope.from, recipients, raw, state: 'composed', reply: null };
}

async function findAll(
  db: Kysely<Database>,
  taskIds: readonly number[],
): Promise<readonly (Delivery | undefined)[]> {
  const { rows } = await sql<Delivery>`
    select id, task_id as "taskId", message_id as "messageId", envelope_from as "from", recipients, raw, state, reply
      from tend.deliveries where task_id = any(${taskIds}::bigint[])`.execute(db);
  const byTask = new Map(rows.map((row) => [row.taskId, row]));
  return taskIds.map((taskId) => byTask.get(taskId));
}

/** Ids of the rows that were made; undefined where there was one. */
async function keepAll(
  db: Kysely<Database>,
  items: readonly KeepComposed[],
): Promise<readonly (number | undefined)[]> {
  const rows = await db
    .insertInto('tend.deliveries')
    .values(
      items.map(({ taskId, composed }) => ({
        task_id: taskId,
        message_id: composed.messageId,
        envelope_from: composed.envelope.from,
        recipients: JSON.stringify(freshDelivery(composed).recipients),
        raw: composed.raw,
      })),
    )
    .onConflict((conflict) => conflict.column('task_id').doNothing())
    .returning(['id', 'task_id as taskId'])
    .execute();
  const byTask = new Map(rows.map(({ id, taskId }) => [taskId, id]));
  return items.map(({ taskId }) => byTask.get(taskId));
}

async function commitAll(db: Kysely<Database>, ids: readonly number[]): Promise<readonly boolean[]> {
  const { rows } = await sql<{ id: number }>`
    update tend.deliveries set state = 'committing', committing_at = clock_timestamp()
     where id = any(${ids}::bigint[]) and state = 'composed' returning id`.execute(db);
  const committed = new Set(rows.map(({ id }) => id));
  return ids.map((id) => committed.has(id));
}

async function settleAll(
  db: Kysely<Database>,
  items: readonly SettleDelivery[],
): Promise<readonly undefined[]> {
  await sql`
    update tend.deliveries d
       set state = g."to", recipients = g.recipients, reply = g.reply, server = coalesce(g.server, d.server),
           finished_at = case when g."to" <> 'composed' then clock_timestamp() end,
           committing_at = case when g."to" <> 'composed' then d.committing_at end
      from jsonb_to_recordset(${JSON.stringify(items)}::jsonb) as g (
             id bigint, "from" text[], "to" text, recipients jsonb, reply text, server text)
     where d.id = g.id and d.state = any(g."from")`.execute(db);
  return items.map(() => undefined);
}
