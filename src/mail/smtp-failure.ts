import type { DeliveryRecipient } from '../database/tables.ts';
import { TendError, toError } from '../errors.ts';
import { maskAddressesIn } from './mail-address.ts';
import type { MailOutcome } from './mail-outcome.ts';
import { describeTransport, type SmtpTransport } from './mail-transport.ts';
import { insecure, serverRefused, stopped, temporary, unreachable } from './smtp-errors.ts';
import { cleanReply, refusedRecipients, type SmtpError } from './smtp-reply.ts';

export interface SmtpFailureOptions {
  error: unknown;
  transport: SmtpTransport;
  to: readonly string[];
  /** The message's last bytes had been given to the connection. */
  isEndReleased: boolean;
  /** The overall deadline has passed. */
  isLate: boolean;
  signal: AbortSignal;
}

/** Replies about who we are and how we connect, not about the message (RFC 4954 §6, RFC 3207). */
const accessReplies = new Set([530, 534, 535, 538]);

/**
 * Decides what a failed conversation means: nodemailer reports a connection lost before the message and one lost after
 * its last dot alike, and calls a wrong password as permanent as a refused message. Four classes come out. Message and
 * recipient failures are permanent; server and configuration failures say nothing about the message and are not.
 */
export function explainSmtpFailure(options: SmtpFailureOptions): MailOutcome {
  const error: SmtpError = toError(options.error);
  if (options.isEndReleased && !isReplyToMessage(error)) {
    return {
      state: 'unknown',
      reason: `the message was handed to ${describeTransport(options.transport)} completely, and then ${whatHappened(options)}`,
    };
  }
  if (error instanceof TendError)
    return failed(error, error.isPermanent ? refuseAll(options.to, error.message) : []);
  if (options.signal.aborted) return failed(stopped(options.signal), []);
  if (options.isLate) return failed(unreachable(options.transport, whatHappened(options)), []);
  if (error.rejectedErrors !== undefined)
    return allRecipientsRefused(options, refusedRecipients(error.rejectedErrors));
  return error.responseCode === undefined
    ? withoutReply(options, error)
    : withReply(options, error, error.responseCode);
}

function failed(error: TendError, recipients: DeliveryRecipient[]): MailOutcome {
  return { state: 'not-delivered', recipients, error };
}

/** Only the reply to the message's own end settles its fate once that has left. */
function isReplyToMessage({ code, command, responseCode = 0 }: SmtpError): boolean {
  return code === 'EMESSAGE' && command === 'DATA' && responseCode >= 400;
}

function allRecipientsRefused(options: SmtpFailureOptions, recipients: DeliveryRecipient[]): MailOutcome {
  const first = recipients.find(({ status }) => status === 'deferred') ?? recipients[0];
  const reply = first?.reply ?? '';
  if (recipients.every(({ reply: said = '' }) => accessReplies.has(Number(said.slice(0, 3))))) {
    return failed(serverRefused(options.transport, reply), []);
  }
  if (first?.status === 'deferred')
    return failed(temporary(options.transport, 'takes no recipient now', reply), recipients);
  const error = new TendError(
    'MAIL_RECIPIENTS_REFUSED',
    `The mail server ${describeTransport(options.transport)} refused ${recipients.length === 1 ? 'the recipient' : 'every recipient'}: ${maskAddressesIn(reply)}`,
    { isPermanent: true },
  );
  return failed(error, recipients);
}

function withReply(options: SmtpFailureOptions, error: SmtpError, code: number): MailOutcome {
  const reply = cleanReply(error.response ?? error.message);
  if (error.code === 'EAUTH' && code < 500)
    return failed(temporary(options.transport, 'could not check the password', reply), []);
  if (error.code === 'EAUTH' || accessReplies.has(code))
    return failed(serverRefused(options.transport, reply), []);
  if (error.code === 'ETLS' && code >= 500)
    return failed(insecure(options.transport, `it refused STARTTLS: ${reply}`), []);
  // A 5xx greeting or EHLO reply is about the server's day, not about this message (Postfix: smtp_skip_5xx_greeting).
  const isAboutMessage = error.command === 'MAIL FROM' || error.command === 'DATA';
  if (!isAboutMessage || code < 500 || code === 503)
    return failed(temporary(options.transport, 'cannot take it now', reply), []);
  const message = `The mail server ${describeTransport(options.transport)} refused the message: ${maskAddressesIn(reply)}`;
  return failed(
    new TendError('MAIL_MESSAGE_INVALID', message, { isPermanent: true }),
    refuseAll(options.to, reply),
  );
}

function withoutReply(options: SmtpFailureOptions, error: SmtpError): MailOutcome {
  if (error.code === 'EMESSAGE') {
    const message = `The message is larger than the mail server ${describeTransport(options.transport)} takes.`;
    return failed(
      new TendError('MAIL_MESSAGE_INVALID', message, { isPermanent: true, cause: error }),
      refuseAll(options.to, message),
    );
  }
  if (error.code === 'EAUTH') return failed(serverRefused(options.transport, error.message), []);
  if (/CERT|SELF_SIGNED|ISSUER|ALTNAME/.test(error.originalCode ?? '')) {
    return failed(
      insecure(options.transport, `its certificate cannot be trusted: ${error.message}`, error),
      [],
    );
  }
  return failed(unreachable(options.transport, maskAddressesIn(cleanReply(error.message)), error), []);
}

function refuseAll(to: readonly string[], reply: string): DeliveryRecipient[] {
  return to.map((address) => ({ address, status: 'refused', reply }));
}

function whatHappened({ error, isLate, signal, transport }: SmtpFailureOptions): string {
  if (signal.aborted) return 'sending was stopped';
  if (isLate) return `no reply came within ${Math.round(transport.timeoutMs / 1000)} s`;
  return `the connection failed: ${cleanReply(toError(error).message)}`;
}
