export interface Failure {
  /** The report's own Status field, comments and all. */
  status: string | undefined;
  /** What the last server said. */
  diagnostic: string;
}

/** `5.1.1`, and no part of an IP address. */
const enhanced = /(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)/;

/**
 * The enhanced status code (RFC 3463) of a failure: that of the reply that the report quotes, else its own. Exim's
 * reports say 5.0.0 whatever the server said.
 */
export function failureStatus({ status = '', diagnostic }: Failure): string | undefined {
  const quoted = /(?<!\d)[45]\d\d[ -]#?([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)/.exec(diagnostic)?.[1];
  if (quoted !== undefined) return quoted;
  const own = enhanced.exec(status)?.[1];
  // Of qmail, `(#5.1.1)` in the text is all there is.
  return own === undefined || own === '5.0.0'
    ? (/\(#([245]\.\d{1,3}\.\d{1,3})\)/.exec(diagnostic)?.[1] ?? own)
    : own;
}

/**
 * There is no such mailbox or domain: bad mailbox (5.1.1), bad domain (5.1.2), no address by its syntax (5.1.3), moved
 * and left nothing (5.1.6), a domain that takes no mail (5.1.10, RFC 7505), disabled (5.2.1), no route to the domain
 * (5.4.4).
 */
const goneForGood = new Set(['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10', '5.2.1', '5.4.4']);

/** Codes that say little, and mean an unknown mailbox where the text says so: of Exim, Cisco, Microsoft 365, Outlook.com. */
const vague = new Set([undefined, '5.0.0', '5.1.0', '5.4.1', '5.5.0']);

const unknownMailbox = new RegExp(
  [
    'user unknown|unknown user|unknown (?:recipient|mailbox|address|account)',
    'no such (?:user|recipient|mailbox|address|account|person)|no mailbox here',
    "(?:user|mailbox|recipient|address|account)\\b[^.;]{0,60}\\b(?:does not|doesn't|not) (?:exist|found)",
    'recipient address rejected: access denied',
  ].join('|'),
  'i',
);

/**
 * Whether a failure says that the address is not worth another message. Full mailboxes (5.2.2), what is too large, what
 * a policy or a spam filter refused (5.7.x), our own faults (5.1.7, 5.1.8) and those of servers on the way are not: the
 * next message may arrive. Amazon SES and RFC 3463 draw the same line.
 */
export function isAddressGone({ status, diagnostic }: Failure): boolean {
  // Gmail says 5.2.1 to this as well.
  if (/receiving mail (?:at a rate|too quickly)/i.test(diagnostic)) return false;
  if (status !== undefined && goneForGood.has(status)) return true;
  return vague.has(status) && unknownMailbox.test(diagnostic);
}
