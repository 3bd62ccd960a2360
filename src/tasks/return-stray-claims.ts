import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/**
 * Gives back tasks that a claim of this very worker took without the answer arriving (the connection broke between
 * commit and reply): they run under a lease nobody works on. The attempt is not counted, since nothing was started.
 */
export async function returnStrayClaims(options: {
  db: Kysely<Database>;
  owner: string;
  knownTokens: readonly string[];
}): Promise<number> {
  const { numAffectedRows = 0n } = await sql`
    update tend.tasks
       set state = 'waiting', attempt = attempt - 1, lease_owner = null, lease_token = null, lease_until = null,
           reason = 'given back: the claim was not acknowledged'
     where state = 'running' and lease_owner = ${options.owner}
       and lease_token <> all (${options.knownTokens}::uuid[])`.execute(options.db);
  return Number(numAffectedRows);
}
