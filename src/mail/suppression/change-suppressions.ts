import { type Kysely, sql } from 'kysely';
import type { Database, SuppressionsTable } from '../../database/tables.ts';
import { parseAddress } from '../addresses/parse-address.ts';

export type SuppressionReason = SuppressionsTable['reason'];

/** `changed`: a weaker reason stood there. */
export type SuppressResult = 'added' | 'changed' | 'unchanged';

export interface SuppressOptions {
  db: Kysely<Database>;
  address: string;
  reason: SuppressionReason;
  detail: string | undefined;
}

/**
 * Puts one address on the suppression list, through `tend.suppress` as every application does.
 *
 * @throws TendError MAIL_ADDRESS_INVALID.
 */
export async function suppressAddress(options: SuppressOptions): Promise<SuppressResult> {
  const { db, reason, detail = null } = options;
  const { address } = parseAddress({ text: options.address, field: 'the arguments' });
  const { rows } = await sql<{ result: SuppressResult }>`
    select tend.suppress(${address}, ${reason}, ${detail}) as result`.execute(db);
  return rows[0]?.result ?? 'unchanged';
}

/**
 * Takes one address off the suppression list; false where it was not on it. What an application wrote is taken as it
 * stands there, also where it is no address by our rules.
 */
export async function unsuppressAddress(options: Pick<SuppressOptions, 'db' | 'address'>): Promise<boolean> {
  const { rows } = await sql<{ result: boolean }>`
    select tend.unsuppress(${options.address}) as result`.execute(options.db);
  return rows[0]?.result ?? false;
}
