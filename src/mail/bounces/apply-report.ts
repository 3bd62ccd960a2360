import { domainToASCII } from 'node:url';
import { type Kysely, sql } from 'kysely';
import type { Database, DeliveryRecipient } from '../../database/tables.ts';
import { cleanReply } from '../smtp/smtp-reply.ts';
import { isAddressGone } from './failure-status.ts';
import { findDeliveries, type ReportedDelivery } from './find-deliveries.ts';
import type { ReportedRecipient, ServerReport } from './server-report.ts';

/** What a report came to for one recipient. */
export interface AppliedRecipient {
  address: string;
  /**
   * `bounced`, `complained`: recorded now. `repeated`: known already. `delayed`, `delivered`: nothing to do. `unmatched`:
   * we have not sent this message to this address. `early`: we do not know yet whether we have.
   */
  outcome: 'bounced' | 'complained' | 'repeated' | 'delayed' | 'delivered' | 'unmatched' | 'early';
  status: string | null;
  isSuppressed: boolean;
}

export interface ApplyReportOptions {
  db: Kysely<Database>;
  report: Extract<ServerReport, { type: 'delivery-status' | 'feedback' }>;
}

/**
 * Writes down what a report says, in one transaction: the recipients that have not got the message after all, and those
 * who get no more mail. A report is believed only about a message that we have handed over for exactly that recipient,
 * under a Message-ID that nobody can guess: whoever forges one can harm only those who share a message with him.
 * Repeating it changes nothing.
 */
export async function applyReport({ db, report }: ApplyReportOptions): Promise<AppliedRecipient[]> {
  return await db.transaction().execute(async (trx) => {
    const deliveries = await findDeliveries({ db: trx, messageId: report.messageId });
    const applied: AppliedRecipient[] = [];
    for (const reported of toReported(report, deliveries))
      applied.push(await applyRecipient({ db: trx, report, reported, deliveries }));
    return applied;
  });
}

/** Who complained is whom the report names, or the only one who got it. */
function toReported(
  report: ApplyReportOptions['report'],
  deliveries: readonly ReportedDelivery[],
): ReportedRecipient[] {
  if (report.type === 'delivery-status') return report.recipients;
  const known = deliveries.flatMap(({ recipients }) => recipients.map(({ address }) => address));
  const addresses = report.addresses.length === 0 && known.length === 1 ? known : report.addresses;
  return [{ addresses, action: 'failed', status: undefined, diagnostic: report.feedbackType }];
}

interface ApplyRecipientOptions extends ApplyReportOptions {
  reported: ReportedRecipient;
  deliveries: readonly ReportedDelivery[];
}

async function applyRecipient(options: ApplyRecipientOptions): Promise<AppliedRecipient> {
  const { db, report, reported, deliveries } = options;
  const { action, status = null } = reported;
  const result = (outcome: AppliedRecipient['outcome'], address: string, isSuppressed = false) => ({
    ...{ address, outcome, status, isSuppressed },
  });
  const found = findRecipient(reported, deliveries);
  if (found === undefined) return result('unmatched', reported.addresses.at(-1) ?? '');
  const { delivery, recipient } = found;
  const { address } = recipient;
  if (!isHandedOver(delivery, recipient))
    return result(recipient.status === 'waiting' ? 'early' : 'unmatched', address);
  if (report.type === 'feedback') {
    const reason = { abuse: 'complaint', fraud: 'complaint', 'opt-out': 'unsubscribe' }[report.feedbackType];
    if (reason === undefined) return result('delivered', address);
    const isNew = await suppress(db, address, reason, `feedback report: ${report.feedbackType}`);
    return result(isNew ? 'complained' : 'repeated', address, isNew);
  }
  if (action !== 'failed') return result(action === 'delayed' ? 'delayed' : 'delivered', address);
  const isNew = recipient.status !== 'bounced';
  const detail = cleanReply([status, reported.diagnostic].filter(Boolean).join(' '));
  if (isNew) await markBounced(db, delivery, recipient, detail);
  const isSuppressed =
    isNew &&
    isAddressGone({ ...reported, status: reported.status }) &&
    (await suppress(db, address, 'bounce', detail));
  return result(isNew ? 'bounced' : 'repeated', address, isSuppressed);
}

function findRecipient(
  { addresses }: ReportedRecipient,
  deliveries: readonly ReportedDelivery[],
): { delivery: ReportedDelivery; recipient: DeliveryRecipient } | undefined {
  const wanted = new Set(addresses.map(comparable));
  for (const delivery of deliveries) {
    const recipient = delivery.recipients.find(({ address }) => wanted.has(comparable(address)));
    if (recipient !== undefined) return { delivery, recipient };
  }
  return undefined;
}

function comparable(address: string): string {
  const at = address.lastIndexOf('@') + 1;
  const domain = address.slice(at);
  return `${address.slice(0, at)}${domainToASCII(domain) || domain}`.toLowerCase();
}

/** A message whose fate was unknown has reached a server: somebody reports about it. */
function isHandedOver({ state }: ReportedDelivery, { status }: DeliveryRecipient): boolean {
  return status === 'accepted' || status === 'bounced' || (state === 'unknown' && status === 'waiting');
}

async function markBounced(
  db: Kysely<Database>,
  delivery: ReportedDelivery,
  recipient: DeliveryRecipient,
  reply: string,
): Promise<void> {
  // The row is locked, and the object is that of the list: a later recipient of this report is written beside it.
  Object.assign(recipient, { status: 'bounced', reply });
  await db
    .updateTable('tend.deliveries')
    .set({
      recipients: JSON.stringify(delivery.recipients),
      bounced_at: sql`coalesce(bounced_at, clock_timestamp())`,
    })
    .where('id', '=', delivery.id)
    .execute();
}

async function suppress(
  db: Kysely<Database>,
  address: string,
  reason: string,
  detail: string,
): Promise<boolean> {
  const { rows } = await sql<{ isNew: boolean }>`
    select tend.suppress(${address}, ${reason}, ${detail}) <> 'unchanged' as "isNew"`.execute(db);
  return rows[0]?.isNew ?? false;
}
