import { parseAddress } from '../addresses/parse-address.ts';
import type { MailMessage } from './mail-message.ts';

/**
 * The two headers behind a reader's "Unsubscribe" button: one List-Unsubscribe with both ways, and the promise that a POST
 * to the URL is enough (RFC 8058; RFC 2369). The payload's schema has made sure that it is https.
 *
 * @throws TendError MAIL_ADDRESS_INVALID for `mailto`.
 */
export function unsubscribeHeaders(unsubscribe: MailMessage['unsubscribe']): Record<string, string> {
  if (unsubscribe === undefined) return {};
  const { url, mailto } = unsubscribe;
  const ways = [`<${url}>`];
  if (mailto !== undefined) {
    const { address } = parseAddress({ text: mailto, field: 'unsubscribe.mailto' });
    // RFC 6068: what has a meaning of its own in such a URL is percent-encoded; encodeURIComponent does more than that.
    ways.push(`<mailto:${encodeURIComponent(address).replace('%40', '@')}?subject=unsubscribe>`);
  }
  return {
    'List-Unsubscribe': ways.join(', '),
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  };
}
