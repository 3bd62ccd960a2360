import { type Kysely, type RawBuilder, sql } from 'kysely';
import { StatementBatcher } from '../../database/statement-batcher.ts';
import type { Database, DeliveryRecipient } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import type { ComposedMessage } from '../compose/compose-message.ts';
import { askSuppressed, type Suppressed } from '../suppression/find-suppressed.ts';

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

type Step =
  | { step: 'keep'; taskId: number; composed: ComposedMessage }
  | { step: 'commit'; id: number }
  | { step: 'settle'; settled: SettleDelivery }
  | { step: 'ask'; addresses: readonly string[] };

interface StepRow {
  step: Step['step'];
  id: number | null;
  taskId: number | null;
  address: string | null;
  reason: Suppressed['reason'] | null;
}

interface StepResult {
  /** Of the row that was written; undefined where it was not: there is one already, or it is in another state. */
  id: number | undefined;
  suppressed: Map<string, Suppressed>;
}

/**
 * The durable steps of deliveries. Those of messages that are under way together share statements, whichever steps they
 * are.
 */
export class DeliveryStore {
  readonly #db: Kysely<Database>;
  readonly #find: StatementBatcher<number, Delivery | undefined>;
  readonly #steps: StatementBatcher<Step, StepResult>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
    // A message may have 70 MB: what is read or written in one statement has a bound.
    this.#find = new StatementBatcher({ maxBatch: 16, execute: (ids) => findAll(db, ids) });
    this.#steps = new StatementBatcher({
      maxBatch: 50,
      // A connection to the mail server waits for it.
      isUrgent: ({ step }) => step === 'commit',
      execute: (steps) => takeSteps(db, steps),
    });
  }

  /** Which of the addresses are on the suppression list. */
  async findSuppressed(addresses: readonly string[]): Promise<Map<string, Suppressed>> {
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

/**
 * One statement for all steps: they are about different rows, since a message takes one step at a time. Committed without
 * waiting for the server's disk: a process of ours that dies loses nothing by it, and a server that crashes may lose the
 * last moments, which `mayHaveBeenForgotten` accounts for. To wait would hold a connection to the mail server for the
 * length of a flush, for every message.
 */
async function takeSteps(db: Kysely<Database>, steps: readonly Step[]): Promise<readonly StepResult[]> {
  const keeps = steps.filter((step) => step.step === 'keep');
  const commits = steps.filter((step) => step.step === 'commit').map(({ id }) => id);
  const settles = steps.filter((step) => step.step === 'settle').map(({ settled }) => settled);
  const addresses = steps.flatMap((step) => (step.step === 'ask' ? step.addresses : []));
  const parts: [name: string, part: RawBuilder<unknown>, rows: RawBuilder<unknown>][] = [];
  const written = sql`null::text as address, null::text as reason`;
  if (keeps.length > 0)
    parts.push([
      'kept',
      keepAll(keeps),
      sql`select 'keep' as step, id, task_id as "taskId", ${written} from kept`,
    ]);
  if (commits.length > 0)
    parts.push([
      'committed',
      commitAll(commits),
      sql`select 'commit' as step, id, null as "taskId", ${written} from committed`,
    ]);
  if (settles.length > 0)
    parts.push([
      'settled',
      settleAll(settles),
      sql`select 'settle' as step, id, null as "taskId", ${written} from settled`,
    ]);
  if (addresses.length > 0)
    parts.push([
      'asked',
      askSuppressed(addresses),
      sql`select 'ask' as step, null::bigint as id, null::bigint as "taskId", given as address, reason from asked`,
    ]);
  const { rows } = await sql<StepRow>`
    with unflushed as materialized (select set_config('synchronous_commit', 'off', true)),
         ${sql.join(parts.map(([name, part]) => sql`${sql.raw(name)} as (${part})`))}
    ${sql.join(
      parts.map(([, , rowsOf]) => rowsOf),
      sql` union all `,
    )}`.execute(db);
  return resultsOf(steps, rows);
}

function resultsOf(steps: readonly Step[], rows: readonly StepRow[]): StepResult[] {
  const ids = new Map<string, number>();
  const suppressed = new Map<string, Suppressed>();
  for (const { step, id, taskId, address, reason } of rows) {
    if (address !== null && reason !== null) suppressed.set(address, { reason });
    else if (id !== null) ids.set(`${step} ${taskId ?? id}`, id);
  }
  return steps.map((step) => ({ id: ids.get(keyOf(step)), suppressed }));
}

function keyOf(step: Step): string {
  if (step.step === 'keep') return `keep ${step.taskId}`;
  if (step.step === 'commit') return `commit ${step.id}`;
  return step.step === 'settle' ? `settle ${step.settled.id}` : '';
}

function keepAll(keeps: readonly { taskId: number; composed: ComposedMessage }[]): RawBuilder<unknown> {
  const values = keeps.map(({ taskId, composed }) => {
    const { messageId, from, recipients, raw } = freshDelivery(composed);
    return sql`(${taskId}::bigint, ${messageId}::text, ${from}::text, ${JSON.stringify(recipients)}::jsonb, ${raw}::bytea)`;
  });
  return sql`
    insert into tend.deliveries (task_id, message_id, envelope_from, recipients, raw)
    select v.* from (values ${sql.join(values)}) as v, unflushed
    on conflict (task_id) do nothing returning id, task_id`;
}

function commitAll(ids: readonly number[]): RawBuilder<unknown> {
  return sql`
    update tend.deliveries set state = 'committing', committing_at = clock_timestamp() from unflushed
     where id = any(${ids}::bigint[]) and state = 'composed' returning id`;
}

function settleAll(settles: readonly SettleDelivery[]): RawBuilder<unknown> {
  return sql`
    update tend.deliveries d
       set state = g."to", recipients = g.recipients, reply = g.reply, server = coalesce(g.server, d.server),
           finished_at = case when g."to" <> 'composed' then clock_timestamp() end,
           committing_at = case when g."to" <> 'composed' then d.committing_at end
      from jsonb_to_recordset(${JSON.stringify(settles)}::jsonb) as g (
             id bigint, "from" text[], "to" text, recipients jsonb, reply text, server text), unflushed
     where d.id = g.id and d.state = any(g."from") returning d.id`;
}
