import type { Kysely } from 'kysely';
import type { Database } from '../../database/tables.ts';
import type { SuppressionReason } from './change-suppressions.ts';

export interface Suppression {
  address: string;
  reason: SuppressionReason;
  detail: string | null;
  createdAt: Date;
  createdBy: string;
}

export interface ListSuppressionsOptions {
  db: Kysely<Database>;
  /** Of these reasons; of all where empty. */
  reasons: readonly SuppressionReason[];
  limit: number;
}

/** The suppression list, newest first. */
export async function listSuppressions(
  options: ListSuppressionsOptions,
): Promise<{ suppressions: Suppression[]; isCut: boolean }> {
  const { db, reasons, limit } = options;
  const rows = await db
    .selectFrom('tend.suppressions')
    .select(['address', 'reason', 'detail', 'created_at as createdAt', 'created_by as createdBy'])
    .$if(reasons.length > 0, (query) => query.where('reason', 'in', reasons))
    .orderBy('created_at', 'desc')
    .orderBy('address')
    .limit(limit + 1)
    .execute();
  return { suppressions: rows.slice(0, limit), isCut: rows.length > limit };
}
