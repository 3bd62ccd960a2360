import { domainToUnicode } from 'node:url';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Database, SuppressionsTable } from '../../database/tables.ts';

export interface FindSuppressedOptions {
  db: Kysely<Database>;
  /** As `parseAddress` gives them, of any number of messages. */
  addresses: readonly string[];
}

/** Why an address gets no mail. */
export interface Suppressed {
  reason: SuppressionsTable['reason'];
}

/**
 * Which of the addresses are on the suppression list, by the spelling given here. One statement for all of them, which
 * finds each by the list's key; none where there are no addresses. A domain is found in both of its spellings, since an
 * application that calls `tend.suppress` knows no Punycode.
 */
export async function findSuppressed(options: FindSuppressedOptions): Promise<Map<string, Suppressed>> {
  if (options.addresses.length === 0) return new Map();
  const { rows } = await sql<{ given: string } & Suppressed>`${askSuppressed(options.addresses)}`.execute(
    options.db,
  );
  return new Map(rows.map(({ given, reason }) => [given, { reason }]));
}

/** The same as part of a larger statement: rows `(given, reason)`. */
export function askSuppressed(addresses: readonly string[]): RawBuilder<{ given: string } & Suppressed> {
  const spellings = [...new Set(addresses)].flatMap((address) => spell(address));
  return sql`
    select w.given, s.reason
      from unnest(${spellings.map(({ given }) => given)}::text[], ${spellings.map(({ key }) => key)}::text[]) w (given, key)
      join tend.suppressions s on s.address = lower(w.key)`;
}

function spell(address: string): { given: string; key: string }[] {
  const at = address.lastIndexOf('@') + 1;
  const unicode = address.slice(0, at) + domainToUnicode(address.slice(at));
  // Of an address in brackets it makes nothing.
  const keys = unicode === address || unicode.endsWith('@') ? [address] : [address, unicode];
  return keys.map((key) => ({ given: address, key }));
}
