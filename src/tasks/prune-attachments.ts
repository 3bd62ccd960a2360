import { type Kysely, sql } from 'kysely';
import type { Database } from '../database/tables.ts';

/**
 * Deletes stored attachments that have expired and that no message which may still be composed names, a schedule's included;
 * those that are still needed are asked about again a day later, so that a long queue of mail is looked through once
 * a day and not at each tick. Returns how many went.
 *
 * Nothing is locked against a message that is enqueued in this very moment for an attachment that has expired already: that
 * one may find it gone.
 */
export async function pruneAttachments(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ deleted: number }>`
    with expired as materialized (
      select id from tend.attachments where expires_at < now() order by expires_at limit 1000 for update skip locked
    ), payload as (
      select t.payload from tend.tasks t
       where t.kind = 'send-mail' and t.state in ('waiting', 'running', 'held') and exists (select from expired)
       union all
      select s.payload from tend.schedules s where s.kind = 'send-mail' and exists (select from expired)
    ), needed as materialized (
      select distinct (named.id #>> '{}')::numeric as id
        from payload,
             lateral jsonb_path_query(payload.payload, '$.attachments[*].attachment ? (@.type() == "number")') as named (id)
    ), kept as (
      update tend.attachments a set expires_at = now() + interval '1 day'
       where a.id in (select e.id from expired e where e.id in (select n.id from needed n))
    ), gone as (
      delete from tend.attachments a
       where a.id in (select e.id from expired e where e.id not in (select n.id from needed n))
      returning a.id
    )
    select count(*) as deleted from gone`.execute(db);
  return rows[0]?.deleted ?? 0;
}
