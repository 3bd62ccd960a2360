import { domainToUnicode } from 'node:url';
import { type RawBuilder, sql } from 'kysely';
import type { SuppressionsTable } from '../../database/tables.ts';

/** Why an address gets no mail. */
export interface Suppressed {
  reason: SuppressionsTable['reason'];
}

/**
 * A query for those of the addresses that are on the suppression list, by the spelling given here: rows `(given, reason)`.
 * Each is found by the list's key. A domain is found in both of its spellings, since an application that calls
 * `tend.suppress` knows no Punycode.
 *
 * @param addresses as `parseAddress` gives them, of any number of messages.
 */
export function askSuppressed(addresses: readonly string[]): RawBuilder<{ given: string } & Suppressed> {
  const spellings = [...new Set(addresses)].flatMap((address) => spell(address));
  return sql`
    select w.given, s.reason
      from unnest((select ${spellings.map(({ given }) => given)}::text[]),
                  (select ${spellings.map(({ key }) => key)}::text[])) w (given, key)
      join tend.suppressions s on s.address = lower(w.key)`;
}

function spell(address: string): { given: string; key: string }[] {
  const at = address.lastIndexOf('@') + 1;
  const unicode = address.slice(0, at) + domainToUnicode(address.slice(at));
  // Of an address in brackets it makes nothing.
  const keys = unicode === address || unicode.endsWith('@') ? [address] : [address, unicode];
  return keys.map((key) => ({ given: address, key }));
}
