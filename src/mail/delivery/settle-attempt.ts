import { setTimeout as sleep } from 'node:timers/promises';
import { countOf } from '../../count-of.ts';
import type { DeliveryRecipient } from '../../database/tables.ts';
import { TendError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { maskAddress, maskAddressesIn } from '../addresses/mail-address.ts';
import type { OnUnknown } from '../compose/mail-message.ts';
import type { Delivery, DeliveryStore } from './delivery-store.ts';
import type { MailOutcome } from './mail-outcome.ts';
import { type MailReport, mergeResults, reportDelivery } from './mail-report.ts';
import type { SettleDelivery } from './take-steps.ts';

export type SettledAttempt =
  | { state: 'sent' | 'partly-sent' | 'dropped'; report: MailReport }
  | { state: 'unknown'; reason: string; report: MailReport };

export interface SettleAttemptOptions {
  store: DeliveryStore;
  log: Log;
  delivery: Delivery;
  outcome: Exclude<MailOutcome, { state: 'unknown' }>;
  /** Name of the server that was used. */
  server: string | null;
  /** The attempt got as far as `committing`. */
  hasCommitted: boolean;
}

/**
 * Records what an attempt with a known outcome learnt about each recipient, and says what that makes of the message.
 *
 * @throws TendError what the server said, where some recipients are still to get it or all were refused.
 */
export async function settleAttempt(options: SettleAttemptOptions): Promise<SettledAttempt> {
  const { store, log, delivery, outcome, server, hasCommitted } = options;
  const recipients = mergeResults(delivery.recipients, outcome.recipients);
  const reply = outcome.state === 'answered' ? outcome.reply : delivery.reply;
  const from = hasCommitted ? (['committing', 'unknown'] as const) : (['composed'] as const);
  const to = stateOf(recipients);
  await persist(store, { id: delivery.id, from, to, recipients, reply, server });
  const report = reportDelivery({ messageId: delivery.messageId, recipients, reply });
  if (outcome.recipients.length > 0)
    log.info(
      `Message ${report.messageId}: ${report.accepted.length} accepted, ${report.refused.length} refused, ${report.deferred.length} deferred`,
    );
  if (to === 'sent' || to === 'partly-sent') return { state: to, report };
  if (outcome.state === 'not-delivered') throw outcome.error;
  if (to === 'refused') {
    // An LMTP server answers for each recipient after the message.
    const said = maskAddressesIn(report.refused[0]?.reply ?? '');
    throw new TendError('MAIL_RECIPIENTS_REFUSED', `The mail server refused every recipient: ${said}`, {
      isPermanent: true,
    });
  }
  throw new TendError(
    'MAIL_SERVER_TEMPORARY',
    `${report.deferred.length} of ${countOf(recipients.length, 'recipient')} ${report.deferred.length === 1 ? 'was' : 'were'} put off by the mail server; the others are done.`,
  );
}

/**
 * Records that nobody is left who may get the message: all that had not got it are barred.
 *
 * @throws TendError MAIL_RECIPIENTS_REFUSED, permanent, where nobody has got it at all.
 */
export async function settleBarred(
  options: Pick<SettleAttemptOptions, 'store' | 'log' | 'delivery'>,
): Promise<SettledAttempt> {
  const { store, log, delivery } = options;
  const { id, messageId, recipients, reply } = delivery;
  const to = stateOf(recipients);
  await persist(store, { id, from: ['composed'], to, recipients, reply });
  const report = reportDelivery({ messageId, recipients, reply });
  if (to !== 'refused') return { state: 'partly-sent', report };
  for (const { address, reply: why } of report.suppressed) log.info(`${maskAddress(address)}: ${why}`);
  const [first] = [...report.suppressed, ...report.refused];
  throw new TendError('MAIL_RECIPIENTS_REFUSED', `No recipient may get the message: ${first?.reply ?? ''}`, {
    isPermanent: true,
    hint: 'See: tend send-mail suppressions, and [mail] allow_domains in tend.toml.',
  });
}

/** Records that a server had the whole message and certainly did not take it, and that no other is there now. */
export async function settleRefused({
  store,
  delivery,
}: Pick<SettleAttemptOptions, 'store' | 'delivery'>): Promise<void> {
  const { id, recipients, reply } = delivery;
  await persist(store, { id, from: ['committing'], to: 'composed', recipients, reply });
}

/** Also where an attempt ended in an error: what it learnt about each recipient decides. */
function stateOf(recipients: Delivery['recipients']): 'composed' | 'sent' | 'partly-sent' | 'refused' {
  if (recipients.some(({ status }) => status === 'waiting' || status === 'deferred')) return 'composed';
  if (recipients.every(({ status }) => status === 'accepted')) return 'sent';
  return recipients.some(({ status }) => status === 'accepted') ? 'partly-sent' : 'refused';
}

export interface SettleUnknownOptions {
  store: DeliveryStore;
  delivery: Delivery;
  onUnknown: OnUnknown;
  /** Of whom it is known all the same. */
  recipients?: readonly DeliveryRecipient[];
  /** Why nobody can know. */
  reason: string;
}

/**
 * Records that nobody can know whether a message was delivered, and to whom it is known, and does what the policy says.
 *
 * @throws TendError MAIL_SERVER_TEMPORARY where it is to be sent again.
 */
export async function settleUnknown(options: SettleUnknownOptions): Promise<SettledAttempt> {
  const { store, delivery, onUnknown, reason } = options;
  const { id, messageId } = delivery;
  const recipients = mergeResults(delivery.recipients, options.recipients ?? []);
  const from = ['composed', 'committing', 'unknown'] as const;
  const report = reportDelivery({ messageId, recipients, reply: reason });
  if (onUnknown === 'resend') {
    await persist(store, { id, from, to: 'composed', recipients, reply: reason });
    throw new TendError('MAIL_SERVER_TEMPORARY', `The message is sent again, as on_unknown says: ${reason}.`);
  }
  await persist(store, { id, from, to: 'unknown', recipients, reply: reason });
  return onUnknown === 'drop' ? { state: 'dropped', report } : { state: 'unknown', reason, report };
}

/** What was learnt from the server is too dear to lose to a moment without the database. */
async function persist(store: DeliveryStore, settled: SettleDelivery): Promise<void> {
  for (const waitMs of [200, 500, 1000, 2000]) {
    try {
      return await store.settle(settled);
    } catch {
      await sleep(waitMs);
    }
  }
  await store.settle(settled);
}
