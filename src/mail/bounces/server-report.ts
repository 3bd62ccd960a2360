/** What a mail server says became of one recipient (RFC 3464 §2.3). */
export interface ReportedRecipient {
  /** The address as we gave it, and as the last server had it: either may be the one we know. */
  addresses: string[];
  action: 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';
  /** Such as `5.1.1` (RFC 3463): the last server's own, where its reply is quoted. */
  status: string | undefined;
  /** What the last server said, on one line. */
  diagnostic: string;
}

/** A message that came back to the address our mail is sent from. */
export type ServerReport =
  | { type: 'delivery-status'; messageId: string; recipients: ReportedRecipient[] }
  /** A reader has called it spam (`abuse`), or a provider tells that one wants no more (`opt-out`); RFC 5965. */
  | { type: 'feedback'; messageId: string; addresses: string[]; feedbackType: string }
  /** A report, of a form or with gaps that leave something to guess. */
  | { type: 'not-understood'; reason: string }
  /** Anything else that lies in the mailbox. */
  | { type: 'no-report' };
