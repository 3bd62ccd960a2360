import { type Kysely, sql } from 'kysely';
import type { Database } from '../../database/tables.ts';
import type { ComposedMessage } from '../compose/compose-message.ts';

export interface KeepPreparedOptions {
  db: Kysely<Database>;
  composed: ComposedMessage;
  taskId: number;
}

/** What stands in the task for people to see; the message itself is in the delivery. */
export function payloadOf({ envelope, raw }: ComposedMessage): { to: string[]; subject: string } {
  const header = raw.subarray(0, Math.max(raw.indexOf('\r\n\r\n'), 0)).toString('utf8');
  const subject = /^Subject:[ \t]*((?:[^\r\n]|\r\n[ \t])*)/im.exec(header)?.[1] ?? '';
  const shown = subject
    .replace(/\p{Cc}+/gu, ' ')
    .replaceAll('\ufffd', '')
    .trim()
    .slice(0, 500);
  return { to: envelope.to.slice(0, 1000), subject: shown };
}

/** Whether a payload is of that kind: it says nothing of what the message contains. */
export function isPrepared(message: object): boolean {
  return Object.keys(message).every((key) => key === 'to' || key === 'subject');
}

/**
 * Keeps the bytes of a message for its task. A program may use a Message-ID for several messages, one a recipient:
 * later ones are kept as `<id> #2` and so on, and carry their own in the bytes.
 */
export async function keepPrepared({ db, composed, taskId }: KeepPreparedOptions): Promise<void> {
  const { messageId, envelope, raw } = composed;
  const recipients = JSON.stringify(envelope.to.map((address) => ({ address, status: 'waiting' })));
  for (const candidates of [messageIdsOf(messageId), [`${messageId} #task-${taskId}`]]) {
    const { numAffectedRows } = await sql`
      insert into tend.deliveries (task_id, message_id, envelope_from, recipients, raw)
      select ${taskId}, c.id, ${envelope.from}, ${recipients}::jsonb, ${raw}
        from unnest(${candidates}::text[]) with ordinality c (id, n)
       where not exists (select from tend.deliveries d where d.message_id = c.id)
       order by c.n limit 1
      on conflict (message_id) do nothing`.execute(db);
    if (numAffectedRows === 1n) return;
  }
}

/** The names under which deliveries of one Message-ID are kept, as far as reports about them are looked for. */
export function messageIdsOf(messageId: string): string[] {
  return [messageId, ...Array.from({ length: 29 }, (_, index) => `${messageId} #${index + 2}`)];
}
