import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Database } from '../database/tables.ts';
import type { Log } from '../log.ts';
import { composeMessage } from './compose-message.ts';
import { deliverMessage } from './deliver-message.ts';
import {
  type Delivery,
  findDelivery,
  keepComposed,
  markCommitting,
  settleDelivery,
} from './delivery-store.ts';
import type { MailMessage, OnUnknown } from './mail-message.ts';
import { reportDelivery } from './mail-report.ts';
import type { MailSettings } from './mail-settings.ts';
import { type SettledAttempt, settleAttempt, settleUnknown } from './settle-attempt.ts';

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

/**
 * One attempt of a task at its message, in three durable steps: composed (once, by the first attempt) → committing
 * (before the last bytes leave) → the server's reply. A worker that died leaves a question only in `committing`, and
 * `onUnknown` answers it. Recipients the server took are never sent to again; deferred ones alone are tried again.
 *
 * @throws TendError MAIL_*: permanent for the message and its recipients, not for the server and the configuration.
 */
export async function sendForTask(options: SendForTaskOptions): Promise<SettledAttempt> {
  const delivery = await reopen(options, await findOrCompose(options));
  if (delivery.state === 'sent' || delivery.state === 'partly-sent') {
    return { state: delivery.state, report: reportDelivery(delivery) };
  }
  const { db, log } = options;
  const onUnknown = policy(options);
  if (delivery.state !== 'composed')
    return await settleUnknown({ db, delivery, onUnknown, reason: 'the process that sent it died' });
  let hasCommitted = false;
  const outcome = await deliverMessage({
    ...options,
    ...options.settings,
    messageId: delivery.messageId,
    from: delivery.from,
    raw: delivery.raw,
    recipients: delivery.recipients.filter(({ status }) => status === 'waiting' || status === 'deferred'),
    beforeEnd: async () => {
      await markCommitting(db, delivery.id);
      hasCommitted = true;
    },
  });
  if (outcome.state === 'unknown')
    return await settleUnknown({ db, delivery, onUnknown, reason: outcome.reason });
  return await settleAttempt({ db, log, delivery, outcome, hasCommitted });
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

function policy({ message, settings }: SendForTaskOptions): OnUnknown {
  return message.onUnknown ?? settings.onUnknown;
}
