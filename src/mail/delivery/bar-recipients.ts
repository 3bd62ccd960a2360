import type { DeliveryRecipient } from '../../database/tables.ts';
import { isAllowedRecipient } from '../addresses/is-allowed-recipient.ts';
import type { MailSettings } from '../servers/mail-settings.ts';
import type { Suppressed } from '../suppression/ask-suppressed.ts';

export interface BarRecipientsOptions {
  recipients: readonly DeliveryRecipient[];
  settings: Pick<MailSettings, 'allowDomains' | 'redirectAll'>;
  /** Where the suppression list can be asked. */
  findSuppressed?: ((addresses: readonly string[]) => Promise<Map<string, Suppressed>>) | undefined;
}

/**
 * Who of those that are still to get a message must not: addresses on the suppression list, and those outside
 * `allow_domains`. Undefined where nobody is barred. Where everything is redirected, nobody else gets it anyway.
 */
export async function barRecipients(options: BarRecipientsOptions): Promise<DeliveryRecipient[] | undefined> {
  const { recipients, settings } = options;
  if (settings.redirectAll !== undefined) return undefined;
  const { allowDomains } = settings;
  const open = recipients.filter(({ status }) => status === 'waiting' || status === 'deferred');
  const suppressed = await options.findSuppressed?.(open.map(({ address }) => address));
  let isAnyBarred = false;
  const judged = recipients.map((recipient) => {
    if (!open.includes(recipient)) return recipient;
    const { address } = recipient;
    const suppression = suppressed?.get(address);
    if (suppression === undefined && isAllowedRecipient({ address, allowDomains })) return recipient;
    isAnyBarred = true;
    return suppression === undefined
      ? { address, status: 'refused' as const, reply: 'not sent: its domain is not in [mail] allow_domains' }
      : { address, status: 'suppressed' as const, reply: `not sent: suppressed (${suppression.reason})` };
  });
  return isAnyBarred ? judged : undefined;
}

/** Whether anybody is left to send to. */
export function isAnybodyOpen(recipients: readonly DeliveryRecipient[]): boolean {
  return recipients.some(({ status }) => status === 'waiting' || status === 'deferred');
}
