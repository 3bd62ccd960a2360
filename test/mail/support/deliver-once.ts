import type { MailOutcome } from '../../../src/mail/delivery/mail-outcome.ts';
import { type DeliverOverSmtpOptions, deliverOverSmtp } from '../../../src/mail/smtp/deliver-over-smtp.ts';
import { SmtpPool } from '../../../src/mail/smtp/smtp-pool.ts';

/** One message over a connection of its own, which is gone afterwards. */
export async function deliverOnce(
  options: Omit<DeliverOverSmtpOptions, 'pool' | 'isOwnSender'> & { isOwnSender?: boolean },
): Promise<MailOutcome> {
  await using pool = new SmtpPool({ transport: options.transport, connections: 1 });
  return await deliverOverSmtp({ isOwnSender: false, ...options, pool });
}
