import { type Kysely, sql } from 'kysely';
import { StatementBatcher } from '../../database/statement-batcher.ts';
import type { Database, DeliveryRecipient } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import type { ComposedMessage } from '../compose/compose-message.ts';
import type { Suppressed } from '../suppression/ask-suppressed.ts';
import {
  type DeliveryState,
  type SettleDelivery,
  type Step,
  type StepResult,
  takeSteps,
  waitingRecipients,
} from './take-steps.ts';

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

/**
 * The durable steps of deliveries. Those of messages that are under way together share statements, whichever steps they
 * are.
 */
export class DeliveryStore {
  readonly #db: Kysely<Database>;
  readonly #find: StatementBatcher<number, Delivery | undefined>;
  readonly #steps: StatementBatcher<Step, StepResult>;

  /** @param options.connections over how many messages leave at once: so many steps come together. */
  constructor(db: Kysely<Database>, { connections = 1 }: { connections?: number | undefined } = {}) {
    this.#db = db;
    // A message may have 70 MB: what is read or written in one statement has a bound.
    this.#find = new StatementBatcher({ maxBatch: 16, execute: (ids) => findAll(db, ids) });
    this.#steps = new StatementBatcher({
      maxBatch: 50,
      // A connection to the mail server waits for it.
      isUrgent: ({ step }) => step === 'commit',
      urgentTogether: Math.min(connections, 20),
      execute: (steps) => takeSteps(db, steps),
    });
  }

  /** Which of the addresses are on the suppression list, by the spelling given here, and why. */
  async findSuppressed(addresses: readonly string[]): Promise<Map<string, Suppressed>> {
    if (addresses.length === 0) return new Map();
    return (await this.#steps.run({ step: 'ask', addresses })).suppressed;
  }

  async find(taskId: number): Promise<Delivery | undefined> {
    return await this.#find.run(taskId);
  }

  /** Keeps a composed message for its task; where another worker was first, its message is the one. */
  async keep(taskId: number, composed: ComposedMessage): Promise<Delivery> {
    const { id } = await this.#steps.run({ step: 'keep', taskId, composed });
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
    if ((await this.#steps.run({ step: 'commit', id })).id !== undefined) return;
    throw new TendError('LEASE_LOST', `Delivery ${id} was not sent: another worker is at it.`);
  }

  /** Records what became of an attempt. */
  async settle(settled: SettleDelivery): Promise<void> {
    await this.#steps.run({ step: 'settle', settled });
  }

  /**
   * Whether the attempt before this one was lost while the database server itself crashed: then what it wrote last may be
   * gone, and a row that says `composed` proves nothing. Its claim was flushed, so the attempt is known. A crash of one
   * backend ends in recovery without a new start of the server, and shows in the statistics, which recovery resets.
   */
  async mayHaveBeenForgotten(taskId: number): Promise<boolean> {
    const { rows } = await sql<{ isSo: boolean }>`
      select a.outcome = 'lost' and a.started_at < c.crashed_at and c.crashed_at < a.finished_at as "isSo"
        from tend.attempts a,
             (select greatest(pg_postmaster_start_time(), (select stats_reset from pg_stat_bgwriter)) as crashed_at) c
       where a.task_id = ${taskId} order by a.started_at desc limit 1`.execute(this.#db);
    return rows[0]?.isSo ?? false;
  }
}

function freshDelivery({ messageId, envelope, raw }: ComposedMessage): Omit<Delivery, 'id' | 'taskId'> {
  return {
    messageId,
    from: envelope.from,
    recipients: waitingRecipients(envelope.to),
    raw,
    state: 'composed',
    reply: null,
  };
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
