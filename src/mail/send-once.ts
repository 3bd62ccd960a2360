import type { Clock } from '../clock.ts';
import { TendError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type ComposedMessage, composeMessage } from './compose-message.ts';
import { deliverMessage } from './deliver-message.ts';
import type { MailMessage } from './mail-message.ts';
import { type MailReport, mergeResults, reportDelivery } from './mail-report.ts';
import type { MailSettings } from './mail-settings.ts';

export interface SendOnceOptions {
  message: MailMessage;
  settings: MailSettings;
  baseDirectory: string;
  clock: Clock;
  signal: AbortSignal;
  log: Log;
}

/**
 * Sends one message without a queue behind it: one attempt, nothing remembered. What the server put off stays in the
 * report as `deferred`; nobody will try it again.
 *
 * @throws TendError MAIL_*; MAIL_OUTCOME_UNKNOWN where the message was handed over and no reply came.
 */
export async function sendOnce(options: SendOnceOptions): Promise<MailReport> {
  const composed = await composeMessage({ ...options, ...options.settings });
  return await sendComposed({ ...options, composed });
}

export interface SendComposedOptions {
  composed: ComposedMessage;
  settings: MailSettings;
  signal: AbortSignal;
  log: Log;
}

/** The same for a message that is composed already. */
export async function sendComposed(options: SendComposedOptions): Promise<MailReport> {
  const { messageId, envelope, raw } = options.composed;
  const recipients = envelope.to.map((address) => ({ address, status: 'waiting' as const }));
  const outcome = await deliverMessage({
    ...options,
    ...options.settings,
    messageId,
    from: envelope.from,
    recipients,
    raw,
    beforeEnd: async () => {},
  });
  if (outcome.state === 'not-delivered') throw outcome.error;
  if (outcome.state === 'answered') {
    return reportDelivery({
      messageId,
      recipients: mergeResults(recipients, outcome.recipients),
      reply: outcome.reply,
    });
  }
  throw new TendError(
    'MAIL_OUTCOME_UNKNOWN',
    `Nobody can know whether message ${messageId} was delivered: ${outcome.reason}.`,
    {
      hint: 'Look for it at the recipient or in the log of the mail server before sending it again.',
      isPermanent: true,
    },
  );
}
