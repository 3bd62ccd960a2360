import { type Kysely, sql } from 'kysely';
import type { Database, DeliveryRecipient } from '../../database/tables.ts';
import type { DeliveryState } from '../delivery/take-steps.ts';
import { messageIdsOf } from '../sendmail/keep-prepared.ts';

export interface ReportedDelivery {
  id: number;
  state: DeliveryState;
  recipients: DeliveryRecipient[];
}

/**
 * The deliveries of a Message-ID, locked until the transaction ends. Amazon SES puts one of its own in the place of
 * ours: the first part of that is what it replied when it took the message ("250 Ok 0100…"), which is looked for among
 * all replies of the last weeks.
 */
export async function findDeliveries(options: {
  db: Kysely<Database>;
  messageId: string;
}): Promise<ReportedDelivery[]> {
  const { db, messageId } = options;
  const columns = ['id', 'state', 'recipients'] as const;
  const found = await db
    .selectFrom('tend.deliveries')
    .select(columns)
    .where('message_id', 'in', messageIdsOf(messageId))
    .orderBy('id')
    .forUpdate()
    .execute();
  const ses = /^<([0-9a-f-]{40,80})@(?:[\w-]+\.)?amazonses\.com>$/.exec(messageId)?.[1];
  if (found.length > 0 || ses === undefined) return found;
  return await db
    .selectFrom('tend.deliveries')
    .select(columns)
    .where('finished_at', '>', sql<Date>`now() - interval '30 days'`)
    .where(sql<boolean>`starts_with(reply, ${`250 Ok ${ses}`})`)
    .orderBy('id')
    .forUpdate()
    .execute();
}
