import type { DeliveryRecipient } from '../../database/tables.ts';
import { TendError, toError } from '../../errors.ts';
import { maskAddressesIn } from '../addresses/mail-address.ts';
import type { FailureClass, MailOutcome } from '../delivery/mail-outcome.ts';
import { describeTransport, type SmtpTransport } from '../servers/mail-transport.ts';
import { certificateHint, insecure, serverRefused, stopped, temporary, unreachable } from './smtp-errors.ts';
import { cleanReply, refusedRecipients, type SmtpError } from './smtp-reply.ts';

export interface SmtpFailureOptions {
  error: unknown;
  transport: SmtpTransport;
  to: readonly string[];
  /** The sender is the one of `[mail] from`: a server that refuses it refuses all we send. */
  isOwnSender: boolean;
  /** The conversation had come as far as the message: connected, safe, logged in. */
  hasBegun: boolean;
  /** The message's last bytes had been given to the connection. */
  isEndReleased: boolean;
  /** What the server had said of recipients by then. */
  learnt?: DeliveryRecipient[];
  /** The overall deadline has passed. */
  isLate: boolean;
  signal: AbortSignal;
}

/** Replies about who we are and how we connect, not about the message (RFC 4954 §6, RFC 3207). */
const accessReplies = new Set([530, 534, 535, 538]);

/**
 * Decides what a failed conversation means: nodemailer reports a connection lost before the message and one lost after
 * its last dot alike, and calls a wrong password as permanent as a refused message. Message and recipient failures may be
 * permanent; server and configuration failures say nothing about the message and are not.
 */
export function explainSmtpFailure(options: SmtpFailureOptions): MailOutcome {
  const error: SmtpError = toError(options.error);
  if (options.isEndReleased && !isReplyToMessage(error)) {
    return {
      state: 'unknown',
      recipients: options.learnt ?? [],
      reason: `the message was handed to ${describeTransport(options.transport)} completely, and then ${whatHappened(options)}`,
    };
  }
  if (options.signal.aborted) return failed('message', stopped(options.signal));
  if (error instanceof TendError) return withOwnError(options, error);
  if (options.isLate)
    return failed(brokenClass(options), unreachable(options.transport, whatHappened(options)));
  if (error.rejectedErrors !== undefined)
    return allRecipientsRefused(options, refusedRecipients(error.rejectedErrors));
  return error.responseCode === undefined
    ? withoutReply(options, error)
    : withReply(options, error, error.responseCode);
}

function failed(
  failureClass: FailureClass,
  error: TendError,
  recipients: DeliveryRecipient[] = [],
): MailOutcome {
  return { state: 'not-delivered', recipients, error, failureClass };
}

function withOwnError({ to }: SmtpFailureOptions, error: TendError): MailOutcome {
  if (error.isPermanent) return failed('message', error, refuseAll(to, error.message));
  const isAboutUs = error.exitCode === 78 || error.code === 'MAIL_SERVER_REFUSED';
  return failed(isAboutUs ? 'configuration' : 'server', error);
}

/** A conversation that breaks before the message is the server's fault; later it may be the message's. */
function brokenClass({ hasBegun }: SmtpFailureOptions): FailureClass {
  return hasBegun ? 'transaction' : 'server';
}

/** Only the reply to the message's own end settles its fate once that has left. */
function isReplyToMessage({ code, command, responseCode = 0 }: SmtpError): boolean {
  return code === 'EMESSAGE' && command === 'DATA' && responseCode >= 400;
}

function allRecipientsRefused(options: SmtpFailureOptions, recipients: DeliveryRecipient[]): MailOutcome {
  const first = recipients.find(({ status }) => status === 'deferred') ?? recipients[0];
  const reply = first?.reply ?? '';
  if (recipients.every(({ reply: said = '' }) => accessReplies.has(Number(said.slice(0, 3))))) {
    return failed('configuration', serverRefused(options.transport, reply));
  }
  if (first?.status === 'deferred') {
    const isClosing = reply.startsWith('421');
    const error = temporary(options.transport, 'takes no recipient now', reply);
    return failed(isClosing ? 'transaction' : 'recipient', error, recipients);
  }
  const error = new TendError(
    'MAIL_RECIPIENTS_REFUSED',
    `The mail server ${describeTransport(options.transport)} refused ${recipients.length === 1 ? 'the recipient' : 'every recipient'}: ${maskAddressesIn(reply)}`,
    { isPermanent: true },
  );
  return failed('recipient', error, recipients);
}

function withReply(options: SmtpFailureOptions, error: SmtpError, code: number): MailOutcome {
  const { transport, to, isOwnSender } = options;
  const reply = cleanReply(error.response ?? error.message);
  if (error.code === 'EAUTH' && code < 500)
    return failed('server', temporary(transport, 'could not check the password', reply));
  if (error.code === 'EAUTH' || accessReplies.has(code))
    return failed('configuration', serverRefused(transport, reply));
  if (error.code === 'ETLS' && code >= 500)
    return failed(
      'configuration',
      insecure(transport, `it refused STARTTLS: ${reply}`, {
        hint: `Where it speaks TLS from the first byte: [mail] url = "smtps://${transport.host}" in tend.toml`,
      }),
    );
  // A 5xx greeting or EHLO reply is about the server's day, not about this message (Postfix: smtp_skip_5xx_greeting).
  const isSender = error.command === 'MAIL FROM';
  if (!isSender && error.command !== 'DATA')
    return failed(brokenClass(options), temporary(transport, 'cannot take it now', reply));
  if (code === 421 && isSender)
    return failed('server', temporary(transport, 'is closing the connection', reply));
  if (code < 500 || code === 503) {
    return failed('transaction', temporary(transport, 'cannot take it now', reply));
  }
  if (isSender && isOwnSender && isAboutSender(reply))
    return failed('configuration', serverRefused(transport, `it does not take our sender: ${reply}`));
  const message = `The mail server ${describeTransport(transport)} refused the message: ${maskAddressesIn(reply)}`;
  const refusal = new TendError('MAIL_MESSAGE_INVALID', message, { isPermanent: true });
  return failed('message', refusal, refuseAll(to, reply));
}

/** 552 and 555 answer the size and the parameters that stand beside the sender (RFC 1870 §6, RFC 5321 §4.1.1.11). */
function isAboutSender(reply: string): boolean {
  return /^55[0134]/.test(reply);
}

function withoutReply(options: SmtpFailureOptions, error: SmtpError): MailOutcome {
  const { transport } = options;
  if (error.code === 'EMESSAGE') {
    const message = `The message is larger than the mail server ${describeTransport(transport)} takes.`;
    const tooLarge = new TendError('MAIL_MESSAGE_INVALID', message, { isPermanent: true, cause: error });
    return failed('message', tooLarge, refuseAll(options.to, message));
  }
  if (error.code === 'EAUTH') return failed('configuration', serverRefused(transport, error.message));
  const { originalCode = '' } = error;
  if (/CERT|SELF_SIGNED|ISSUER|ALTNAME/.test(originalCode)) {
    const reason = `its certificate cannot be trusted: ${error.message}`;
    return failed(
      'configuration',
      insecure(transport, reason, { hint: certificateHint(transport, originalCode), cause: error }),
    );
  }
  const reason = maskAddressesIn(cleanReply(error.message));
  return failed(brokenClass(options), unreachable(transport, reason, error));
}

function refuseAll(to: readonly string[], reply: string): DeliveryRecipient[] {
  return to.map((address) => ({ address, status: 'refused', reply }));
}

function whatHappened({ error, isLate, signal, transport }: SmtpFailureOptions): string {
  if (isLate) return `no reply came within ${Math.round(transport.timeoutMs / 1000)} s`;
  if (signal.aborted) return 'sending was stopped';
  return `the connection failed: ${cleanReply(toError(error).message)}`;
}
