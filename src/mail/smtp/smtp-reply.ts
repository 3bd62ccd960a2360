import type { DeliveryRecipient } from '../../database/tables.ts';

/** One line of printable text, 500 characters at most, out of whatever a server said. */
export function cleanReply(reply: string): string {
  const line = reply.replace(/(?:\p{Cc}|\p{Cf})+/gu, ' ').trim();
  // PostgreSQL takes no half of a character that the cut went through.
  return line.slice(0, 500).toWellFormed();
}

/** What nodemailer attaches to an error that came from a mail server. */
export interface SmtpError extends Error {
  code?: string | undefined;
  originalCode?: string | undefined;
  command?: string | undefined;
  response?: string | undefined;
  responseCode?: number | undefined;
  recipient?: string | undefined;
  rejectedErrors?: SmtpError[] | undefined;
}

/** The results of recipients that RCPT TO did not take: 5xx for good, anything else for now. */
export function refusedRecipients(errors: readonly SmtpError[]): DeliveryRecipient[] {
  return errors.map(({ recipient = '', responseCode = 0, response = '' }) => ({
    address: recipient,
    status: responseCode >= 500 && responseCode !== 503 ? 'refused' : 'deferred',
    reply: cleanReply(response),
  }));
}
