import { TendError } from '../../errors.ts';
import { checkHeaders } from './check-headers.ts';
import type { MailMessage } from './mail-message.ts';
import { unsubscribeHeaders } from './unsubscribe-headers.ts';

/**
 * The headers beside those of the envelope: what kind of mail it is, and the payload's own, which win over
 * `Auto-Submitted`. Programs that answer mail by themselves must not answer one that a program has sent (RFC 3834 §5.1).
 *
 * @throws TendError MAIL_MESSAGE_INVALID, permanent.
 */
export function messageHeaders(message: MailMessage): Record<string, string> {
  const own = message.headers ?? {};
  checkHeaders(own);
  const names = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  const made = { ...importanceHeaders(message.importance), ...unsubscribeHeaders(message.unsubscribe) };
  for (const name of Object.keys(made)) {
    if (!names.has(name.toLowerCase())) continue;
    throw new TendError(
      'MAIL_MESSAGE_INVALID',
      `The header "${name}" was given twice: among the headers, and by "${name.startsWith('List') ? 'unsubscribe' : 'importance'}".`,
      { isPermanent: true },
    );
  }
  const auto = names.has('auto-submitted') ? {} : { 'Auto-Submitted': 'auto-generated' };
  return { ...auto, ...made, ...own };
}

/** Programs disagree about which of the two they read. */
function importanceHeaders(importance: MailMessage['importance']): Record<string, string> {
  if (importance === undefined) return {};
  return { Importance: importance, 'X-Priority': importance === 'high' ? '1 (Highest)' : '5 (Lowest)' };
}
