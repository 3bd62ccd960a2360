import type { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Database } from '../../database/tables.ts';
import type { Log } from '../../log.ts';
import { parseAddress } from '../addresses/parse-address.ts';
import { checkExpiry } from '../compose/check-expiry.ts';
import { composeMessage } from '../compose/compose-message.ts';
import type { MailMessage, OnUnknown } from '../compose/mail-message.ts';
import { isPrepared } from '../sendmail/keep-prepared.ts';
import { defaultServer } from '../servers/mail-server.ts';
import type { MailSettings } from '../servers/mail-settings.ts';
import type { Suppressed } from '../suppression/ask-suppressed.ts';
import { barRecipients, isAnybodyOpen } from './bar-recipients.ts';
import type { Courier, NotNow } from './courier.ts';
import type { Delivery, DeliveryStore } from './delivery-store.ts';
import { reportDelivery } from './mail-report.ts';
import {
  type SettledAttempt,
  settleAttempt,
  settleBarred,
  settleRefused,
  settleUnknown,
} from './settle-attempt.ts';

export interface SendForTaskOptions {
  taskId: number;
  message: MailMessage;
  settings: MailSettings;
  store: DeliveryStore;
  courier: Courier;
  /** It is not the task's first attempt. */
  isRepeated: boolean;
  /** A person waits for this one attempt. */
  isByHand: boolean;
  /** For attachments that lie in the database. */
  db?: Kysely<Database> | undefined;
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
export async function sendForTask(options: SendForTaskOptions): Promise<SettledAttempt | NotNow> {
  const opened = await findOrCompose(options);
  const delivery = await reopen(options, opened.delivery);
  if (delivery.state === 'sent' || delivery.state === 'partly-sent') {
    return { state: delivery.state, report: reportDelivery(delivery) };
  }
  const { store, courier, log, message, settings, isRepeated } = options;
  const onUnknown = policy(options);
  if (delivery.state !== 'composed')
    return await settleUnknown({ store, delivery, onUnknown, reason: 'the process that sent it died' });
  if (isRepeated && onUnknown !== 'resend' && (await store.mayHaveBeenForgotten(delivery.taskId))) {
    const reason =
      'the process that sent it died, and so did the database server that should remember how far it was';
    return await settleUnknown({ store, delivery, onUnknown, reason });
  }
  checkExpiry(options);
  const findSuppressed = (addresses: readonly string[]) =>
    opened.suppressed ?? store.findSuppressed(addresses);
  const barred = await barRecipients({ recipients: delivery.recipients, settings, findSuppressed });
  if (barred !== undefined) delivery.recipients = barred;
  if (!isAnybodyOpen(delivery.recipients)) return await settleBarred({ store, log, delivery });
  let hasCommitted = false;
  const { outcome, server } = await courier.carry({
    ...options,
    serverName: message.server ?? defaultServer,
    messageId: delivery.messageId,
    from: delivery.from,
    isOwnSender: isOwnSender(options, delivery.from),
    raw: delivery.raw,
    recipients: delivery.recipients.filter(({ status }) => status === 'waiting' || status === 'deferred'),
    beforeEnd: async () => {
      // A fallback may be the second to come this far: the row is ours already.
      if (!hasCommitted) await store.commit(delivery.id);
      hasCommitted = true;
    },
  });
  if (outcome.state === 'not-now') {
    if (hasCommitted) await settleRefused({ store, delivery });
    return outcome;
  }
  if (outcome.state === 'unknown') return await settleUnknown({ store, delivery, onUnknown, ...outcome });
  return await settleAttempt({ store, log, delivery, outcome, server, hasCommitted });
}

function isOwnSender({ settings: { defaultFrom } }: SendForTaskOptions, sender: string): boolean {
  return defaultFrom !== undefined && parseAddress({ text: defaultFrom, field: 'from' }).address === sender;
}

interface OpenedDelivery {
  delivery: Delivery;
  /** Of all its recipients, where it is known already. */
  suppressed?: Promise<Map<string, Suppressed>>;
}

async function findOrCompose(options: SendForTaskOptions): Promise<OpenedDelivery> {
  const { store, taskId, settings, isRepeated } = options;
  // On a first attempt there is hardly ever one, and `keep` finds it then; unless another program composed the message.
  const found = isRepeated || isPrepared(options.message) ? await store.find(taskId) : undefined;
  if (found !== undefined) return { delivery: found };
  const composed = await composeMessage({ ...options, ...settings });
  // Both in one statement.
  const suppressed = store.findSuppressed(composed.envelope.to);
  suppressed.catch(() => {});
  const delivery = await store.keep(taskId, composed);
  return delivery.messageId === composed.messageId ? { delivery, suppressed } : { delivery };
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
  await options.store.settle({ id, from: [state], to: 'composed', recipients, reply });
  return { ...delivery, recipients, state: 'composed' };
}

function policy({ message, settings }: SendForTaskOptions): OnUnknown {
  return message.onUnknown ?? settings.onUnknown;
}
