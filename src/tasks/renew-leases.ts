import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

export interface RenewedLease {
  token: string;
  isCancelRequested: boolean;
}

/**
 * Extends the leases of running tasks and brings cancel requests in the same round trip. A token that is missing from
 * the answer has lost its lease: that work must stop at once.
 */
export async function renewLeases(options: {
  db: Kysely<Database>;
  leases: readonly { id: number; token: string }[];
  leaseMs: number;
}): Promise<RenewedLease[]> {
  const ids = options.leases.map(({ id }) => id);
  const tokens = options.leases.map(({ token }) => token);
  const { rows } = await sql<RenewedLease>`
    update tend.tasks t
       set lease_until = now() + ${options.leaseMs}::float8 * interval '1 ms'
      from unnest(${ids}::bigint[], ${tokens}::uuid[]) as held (id, token)
     where t.id = held.id and t.lease_token = held.token and t.state = 'running'
    returning t.lease_token as token, t.cancel_requested_at is not null as "isCancelRequested"`.execute(
    options.db,
  );
  return rows;
}
