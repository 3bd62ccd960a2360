import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Database, DeliveryRecipient } from '../../database/tables.ts';
import type { ComposedMessage } from '../compose/compose-message.ts';
import { askSuppressed, type Suppressed } from '../suppression/ask-suppressed.ts';

export type DeliveryState = 'composed' | 'committing' | 'sent' | 'partly-sent' | 'refused' | 'unknown';

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

/** One step of one message. */
export type Step =
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

/** What became of a step. */
export interface StepResult {
  /** Of the row that was written; undefined where it was not: there is one already, or it is in another state. */
  id: number | undefined;
  suppressed: Map<string, Suppressed>;
}

/**
 * One statement for all steps: they are about different rows, since a message takes one step at a time. Committed without
 * waiting for the server's disk: a process of ours that dies loses nothing by it, and a server that crashes may lose the
 * last moments, which `mayHaveBeenForgotten` accounts for. To wait would hold a connection to the mail server for the
 * length of a flush, for every message.
 */
export async function takeSteps(
  db: Kysely<Database>,
  steps: readonly Step[],
): Promise<readonly StepResult[]> {
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

/** In columns and not as rows of values, so that the statement is the same for any number of messages. */
function keepAll(keeps: readonly { taskId: number; composed: ComposedMessage }[]): RawBuilder<unknown> {
  const messages = keeps.map(({ composed }) => composed);
  const [first] = messages;
  const isAlone = messages.length === 1 && first !== undefined;
  const raw = isAlone ? first.raw : Buffer.concat(messages.map((message) => message.raw));
  return sql`
    insert into tend.deliveries (task_id, message_id, envelope_from, recipients, raw)
    select k.task_id, k.message_id, k.envelope_from, k.recipients::jsonb,
           substring(${raw}::bytea from 1 + (sum(k.bytes) over (order by k.place) - k.bytes)::integer for k.bytes::integer)
      from unnest(${bigints(keeps.map(({ taskId }) => taskId))}, ${texts(messages.map(({ messageId }) => messageId))},
                  ${texts(messages.map(({ envelope }) => envelope.from))},
                  ${texts(messages.map(({ envelope }) => JSON.stringify(waitingRecipients(envelope.to))))},
                  ${bigints(messages.map((message) => message.raw.length))})
           with ordinality as k (task_id, message_id, envelope_from, recipients, bytes, place), unflushed
    on conflict (task_id) do nothing returning id, task_id`;
}

function commitAll(ids: readonly number[]): RawBuilder<unknown> {
  return sql`
    update tend.deliveries set state = 'committing', committing_at = clock_timestamp() from unflushed
     where id = any(${bigints(ids)}::bigint[]) and state = 'composed' returning id`;
}

/** The ids stand there twice: what comes out of JSON is taken for a hundred rows, for which the table would be read through. */
function settleAll(settles: readonly SettleDelivery[]): RawBuilder<unknown> {
  return sql`
    update tend.deliveries d
       set state = g."to", recipients = g.recipients, reply = g.reply, server = coalesce(g.server, d.server),
           finished_at = case when g."to" <> 'composed' then clock_timestamp() end,
           committing_at = case when g."to" <> 'composed' then d.committing_at end
      from jsonb_to_recordset(${JSON.stringify(settles)}::jsonb) as g (
             id bigint, "from" text[], "to" text, recipients jsonb, reply text, server text), unflushed
     where d.id = any(${bigints(settles.map(({ id }) => id))}::bigint[]) and d.id = g.id and d.state = any(g."from") returning d.id`;
}

/**
 * An array that the planner cannot look into: it takes every one for ten elements long. Else it compares the plan it keeps
 * with one for the few elements that are there, finds that one cheaper, and plans each statement anew for them.
 */
function bigints(values: readonly number[]): RawBuilder<unknown> {
  return sql`(select ${values}::bigint[])`;
}

function texts(values: readonly string[]): RawBuilder<unknown> {
  return sql`(select ${values}::text[])`;
}

/** Nobody has got it yet. */
export function waitingRecipients(addresses: readonly string[]): DeliveryRecipient[] {
  return addresses.map((address) => ({ address, status: 'waiting' }));
}
