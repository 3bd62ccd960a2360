import { type Kysely, sql } from 'kysely';
import { repeatOnConflict } from '../database/repeat-on-conflict.ts';
import type { Database } from '../database/tables.ts';

/**
 * Gives back tasks that a claim of this very worker took without the answer arriving (the connection broke between
 * commit and reply): they run under a lease nobody works on. The attempt is not counted, since nothing was started.
 *
 * @param options.to `cancelled` for tasks that exist only for this process, which makes them anew: waiting, they would
 *   be run a second time by the next tick.
 */
export async function returnStrayClaims(options: {
  db: Kysely<Database>;
  owner: string;
  knownTokens: readonly string[];
  to: 'waiting' | 'cancelled';
}): Promise<number> {
  return await repeatOnConflict(async () => {
    const { numAffectedRows = 0n } = await sql`
      with stray as (
        select t.id,
               case when t.cancel_requested_at is not null then 'cancel was requested'
                    when exists (select from tend.tasks w where w.unique_key = t.unique_key and w.state = 'waiting')
                      or row_number() over (
                           partition by coalesce('k' || t.unique_key, 'i' || t.id) order by t.id desc) > 1
                    then 'superseded by a newer task with the same unique key'
                    when ${options.to} = 'cancelled' then 'not started: the claim was not acknowledged'
               end as why_cancelled
          from tend.tasks t
         where t.state = 'running' and t.lease_owner = ${options.owner}
           and t.lease_token <> all (${options.knownTokens}::uuid[])
      )
      update tend.tasks t
         set state = case when s.why_cancelled is null then 'waiting' else 'cancelled' end,
             finished_at = case when s.why_cancelled is null then null else now() end,
             reason = coalesce(s.why_cancelled, 'given back: the claim was not acknowledged'),
             attempt = t.attempt - 1, lease_owner = null, lease_token = null, lease_until = null
        from stray s
       where t.id = s.id and t.state = 'running' and t.lease_owner = ${options.owner}`.execute(options.db);
    return Number(numAffectedRows);
  });
}
