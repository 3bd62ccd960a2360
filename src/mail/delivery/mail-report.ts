import * as v from 'valibot';
import type { DeliveryRecipient } from '../../database/tables.ts';

const withReply = v.object({ address: v.string(), reply: v.string() });

/** {@link MailReport}, for reading it back from the evidence of a task. */
export const mailReportSchema = v.object({
  messageId: v.string(),
  accepted: v.array(v.string()),
  refused: v.array(withReply),
  deferred: v.array(withReply),
  /** On the suppression list: never offered to a server. */
  suppressed: v.optional(v.array(withReply), []),
  /** The server's last word about the message; where it gave none, what happened instead. */
  reply: v.nullable(v.string()),
});

/** What became of a message, recipient by recipient: the command's JSON and the evidence of a task. */
export type MailReport = v.InferOutput<typeof mailReportSchema>;

export interface ReportDeliveryOptions {
  messageId: string;
  recipients: readonly DeliveryRecipient[];
  reply: string | null;
}

export function reportDelivery({ messageId, recipients, reply }: ReportDeliveryOptions): MailReport {
  const repliesOf = (status: DeliveryRecipient['status']) =>
    recipients
      .filter((recipient) => recipient.status === status)
      .map((recipient) => ({ address: recipient.address, reply: recipient.reply ?? '' }));
  return {
    messageId,
    accepted: recipients.filter(({ status }) => status === 'accepted').map(({ address }) => address),
    refused: repliesOf('refused'),
    deferred: repliesOf('deferred'),
    suppressed: repliesOf('suppressed'),
    reply,
  };
}

/** `recipients` with the results of this attempt written over those it was about. */
export function mergeResults(
  recipients: readonly DeliveryRecipient[],
  results: readonly DeliveryRecipient[],
): DeliveryRecipient[] {
  const byAddress = new Map(results.map((result) => [result.address, result]));
  return recipients.map((recipient) => byAddress.get(recipient.address) ?? recipient);
}
