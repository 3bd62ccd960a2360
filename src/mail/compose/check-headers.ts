import { TendError } from '../../errors.ts';

/** Headers the message is built from, or that only a mail server may write. */
const reserved =
  /^(from|sender|to|cc|bcc|reply-to|subject|date|message-id|return-path|received|mime-version|content-.*|resent-.*|dkim-signature|arc-.*|authentication-results|x-tend-.*)$/i;

/**
 * Checks headers that came from outside: nothing may end the line it stands in, and none may replace what the message
 * itself says (a second `From:` is how a signature is made to cover something else).
 *
 * @throws TendError MAIL_MESSAGE_INVALID, permanent.
 */
export function checkHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    const problem = headerProblem(name, value);
    if (problem === undefined) continue;
    throw new TendError(
      'MAIL_MESSAGE_INVALID',
      `The header ${JSON.stringify(name.slice(0, 80))} ${problem}.`,
      {
        isPermanent: true,
      },
    );
  }
}

function headerProblem(name: string, value: string): string | undefined {
  // RFC 5322 §3.6.8: visible ASCII without the colon.
  if (!/^[!-9;-~]{1,76}$/.test(name)) return 'is not a valid header name';
  if (reserved.test(name)) return 'cannot be set: the message itself decides it';
  return lineProblem(value);
}

/** Why `text` cannot stand in a header, or undefined. The reason completes a sentence: `The subject …`. */
export function lineProblem(text: string): string | undefined {
  if (/[\r\n]/.test(text)) return 'contains a line break';
  if (/(?!\t)\p{Cc}/u.test(text)) return 'contains a control character';
  if (!text.isWellFormed()) return 'is not valid Unicode';
  // Lines are folded at spaces, and none may be longer than 998 bytes (RFC 5322 §2.1.1).
  if (/[^ ]{901}/.test(text)) return 'contains a word of more than 900 characters';
  return text.length > 8000 ? 'is longer than 8000 characters' : undefined;
}
