import type { Clock } from '../../clock.ts';
import { TendError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { SecretRegistry } from '../../redact.ts';
import { type ComposedMessage, composeMessage } from '../compose/compose-message.ts';
import type { MailMessage } from '../compose/mail-message.ts';
import { defaultServer } from '../servers/mail-server.ts';
import type { MailSettings } from '../servers/mail-settings.ts';
import { barRecipients, isAnybodyOpen } from './bar-recipients.ts';
import { Courier } from './courier.ts';
import { type MailReport, mergeResults, reportDelivery } from './mail-report.ts';

export interface SendOnceOptions {
  message: MailMessage;
  settings: MailSettings;
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
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
  return await sendComposed({ ...options, composed, serverName: options.message.server ?? defaultServer });
}

export interface SendComposedOptions {
  composed: ComposedMessage;
  settings: MailSettings;
  /** Name of the server to begin with; the one of `[mail] url` unless given. */
  serverName?: string;
  baseDirectory: string;
  env: NodeJS.ProcessEnv;
  secrets: SecretRegistry;
  signal: AbortSignal;
  log: Log;
}

/** The same for a message that is composed already. */
export async function sendComposed(options: SendComposedOptions): Promise<MailReport> {
  const { messageId, envelope, raw } = options.composed;
  const waiting = envelope.to.map((address) => ({ address, status: 'waiting' as const }));
  const recipients = (await barRecipients({ recipients: waiting, settings: options.settings })) ?? waiting;
  if (!isAnybodyOpen(recipients)) throw nobodyAllowed();
  await using courier = new Courier({ ...options, db: undefined });
  const { outcome } = await courier.carry({
    ...options,
    serverName: options.serverName ?? defaultServer,
    isByHand: true,
    isOwnSender: false,
    messageId,
    from: envelope.from,
    recipients: recipients.filter(({ status }) => status === 'waiting'),
    raw,
    beforeEnd: async () => {},
  });
  if (outcome.state === 'not-now') throw new TendError('BUG', 'A message by hand was put off.');
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

function nobodyAllowed(): TendError {
  return new TendError(
    'MAIL_RECIPIENTS_REFUSED',
    'No recipient may get the message: none is in [mail] allow_domains.',
    { isPermanent: true },
  );
}
