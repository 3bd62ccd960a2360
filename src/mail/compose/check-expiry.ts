import type { Clock } from '../../clock.ts';
import { TendError } from '../../errors.ts';
import { type MailMessage, timeOf } from './mail-message.ts';

/**
 * Asked before a message is composed and before each attempt at one that nobody has got yet: a code that was good for ten
 * minutes is not worth sending tomorrow.
 *
 * @throws TendError MAIL_EXPIRED, permanent.
 */
export function checkExpiry({ message, clock }: { message: MailMessage; clock: Clock }): void {
  const { expiresAt } = message;
  if (expiresAt === undefined || timeOf(expiresAt) > clock.now().getTime()) return;
  throw new TendError('MAIL_EXPIRED', `The message is not sent any more: it expired at ${expiresAt}.`, {
    isPermanent: true,
  });
}
