import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Database } from '../database/tables.ts';
import { TendError } from '../errors.ts';
import type { Log } from '../log.ts';
import { composeMessage } from './compose-message.ts';
import { deliverMessage } from './deliver-message.ts';
import {
  type Delivery,
  type DeliveryState,
  findDelivery,
  keepComposed,
  markCommitting,
  type SettleDeliveryOptions,
  settleDelivery,
} from './delivery-store.ts';
import type { MailMessage } from './mail-message.ts';
import type { MailOutcome } from './mail-outcome.ts';
import { type MailReport, mergeResults, reportDelivery } from './mail-report.ts';
import type { MailSettings } from './mail-settings.ts';

export interface SendForTaskOptions {
  taskId: number;
  message: MailMessage;
  settings: MailSettings;
  db: Kysely<Database>;
  baseDirectory: string;
  clock: Clock;
  signal: AbortSignal;
  log: Log;
}

export type SendForTaskResult =
  | { state: 'sent' | 'partly-sent' | 'dropped'; report: MailReport }
  | { state: 'unknown'; reason: string; report: MailReport };

/**
 * One attempt of a task at its message, in three durable steps: composed (once, by the first attempt) → committing
 * (before the last bytes leave) → the server's reply. A worker that died leaves a question only in `committing`, and
 * `onUnknown` answers it. Recipients the server took are never sent to again; deferred ones alone are tried again.
 *
 * @throws TendError MAIL_*: permanent for the message and its recipients, not for the server and the configuration.
 */
export async function sendForTask(options: SendForTaskOptions): Promise<SendForTaskResult> {
  const delivery = await reopen(options, await findOrCompose(options));
  if (delivery.state === 'sent' || delivery.state === 'partly-sent') {
    return { state: delivery.state, report: reportDelivery(delivery) };
  }
  if (delivery.state !== 'composed')
    return await settleUnknown(options, delivery, 'the process that sent it died');
  let hasCommitted = false;
  const outcome = await deliverMessage({
    ...options,
    ...options.settings,
    messageId: delivery.messageId,
    from: delivery.from,
    raw: delivery.raw,
    recipients: delivery.recipients.filter(({ status }) => status === 'waiting' || status === 'deferred'),
    beforeEnd: async () => {
      await markCommitting(options.db, delivery.id);
      hasCommitted = true;
    },
  });
  if (outcome.state === 'unknown') return await settleUnknown(options, delivery, outcome.reason);
  return await settle(options, delivery, outcome, hasCommitted ? ['committing', 'unknown'] : ['composed']);
}

async function findOrCompose(options: SendForTaskOptions): Promise<Delivery> {
  const { db, taskId, settings } = options;
  const found = await findDelivery(db, taskId);
  if (found !== undefined) return found;
  return await keepComposed(db, taskId, await composeMessage({ ...options, ...settings }));
}

/**
 * Makes a delivery ready for another try where that is allowed: one all of whose recipients were refused, because
 * somebody asked for the task again, and an ambiguous one, because the policy says so. A person's decision to send
 * an ambiguous one again has made it `composed` already.
 */
async function reopen(options: SendForTaskOptions, delivery: Delivery): Promise<Delivery> {
  const { id, state, reply } = delivery;
  const isAmbiguous = state === 'committing' || state === 'unknown';
  if (state !== 'refused' && !(isAmbiguous && policy(options) === 'resend')) return delivery;
  const recipients = delivery.recipients.map(({ address, status }) => ({
    address,
    status: state === 'refused' ? ('waiting' as const) : status,
  }));
  await settleDelivery(options.db, { id, from: [state], to: 'composed', recipients, reply });
  return { ...delivery, recipients, state: 'composed' };
}

function policy({ message, settings }: SendForTaskOptions): 'hold' | 'resend' | 'drop' {
  return message.onUnknown ?? settings.onUnknown;
}

async function settle(
  { db, log }: SendForTaskOptions,
  delivery: Delivery,
  outcome: Exclude<MailOutcome, { state: 'unknown' }>,
  from: DeliveryState[],
): Promise<SendForTaskResult> {
  const recipients = mergeResults(delivery.recipients, outcome.recipients);
  const reply = outcome.state === 'answered' ? outcome.reply : delivery.reply;
  const to = stateOf(recipients);
  await persist(db, { id: delivery.id, from, to, recipients, reply });
  const report = reportDelivery({ messageId: delivery.messageId, recipients, reply });
  log.info(
    `Message ${report.messageId}: ${report.accepted.length} accepted, ${report.refused.length} refused, ${report.deferred.length} deferred`,
  );
  if (to === 'sent' || to === 'partly-sent') return { state: to, report };
  if (outcome.state === 'not-delivered') throw outcome.error;
  throw new TendError(
    'MAIL_SERVER_TEMPORARY',
    `${report.deferred.length} of ${recipients.length} recipients were put off by the mail server; the others are done.`,
  );
}

/** Also where an attempt ended in an error: what it learnt about each recipient decides. */
function stateOf(recipients: Delivery['recipients']): 'composed' | 'sent' | 'partly-sent' | 'refused' {
  if (recipients.some(({ status }) => status === 'waiting' || status === 'deferred')) return 'composed';
  if (recipients.every(({ status }) => status === 'accepted')) return 'sent';
  return recipients.some(({ status }) => status === 'accepted') ? 'partly-sent' : 'refused';
}

async function settleUnknown(
  options: SendForTaskOptions,
  delivery: Delivery,
  reason: string,
): Promise<SendForTaskResult> {
  const { id, recipients, messageId } = delivery;
  const from: DeliveryState[] = ['committing', 'unknown'];
  const report = reportDelivery({ messageId, recipients, reply: reason });
  if (policy(options) === 'resend') {
    await persist(options.db, { id, from, to: 'composed', recipients, reply: reason });
    throw new TendError('MAIL_SERVER_TEMPORARY', `The message is sent again, as on_unknown says: ${reason}.`);
  }
  await persist(options.db, { id, from, to: 'unknown', recipients, reply: reason });
  return policy(options) === 'drop' ? { state: 'dropped', report } : { state: 'unknown', reason, report };
}

/** What was learnt from the server is too dear to lose to a moment without the database. */
async function persist(db: Kysely<Database>, settled: SettleDeliveryOptions): Promise<void> {
  for (const waitMs of [200, 500, 1000, 2000]) {
    try {
      return await settleDelivery(db, settled);
    } catch {
      await sleep(waitMs);
    }
  }
  await settleDelivery(db, settled);
}
