import type { DeliveryRecipient } from '../database/tables.ts';

/** What became of a message, recipient by recipient: the command's JSON and the evidence of a task. */
export interface MailReport {
  messageId: string;
  accepted: string[];
  refused: { address: string; reply: string }[];
  deferred: { address: string; reply: string }[];
  /** The server's last word about the message; where `onUnknown = drop` closed it, that. */
  reply: string | null;
}

export interface ReportDeliveryOptions {
  messageId: string;
  recipients: readonly DeliveryRecipient[];
  reply: string | null;
}

export function reportDelivery({ messageId, recipients, reply }: ReportDeliveryOptions): MailReport {
  const withReply = (status: DeliveryRecipient['status']) =>
    recipients
      .filter((recipient) => recipient.status === status)
      .map((recipient) => ({ address: recipient.address, reply: recipient.reply ?? '' }));
  return {
    messageId,
    accepted: recipients.filter(({ status }) => status === 'accepted').map(({ address }) => address),
    refused: withReply('refused'),
    deferred: withReply('deferred'),
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
